"""A process that uses several GPUs: its buffers, where each of them is mapped, and the steps that calls are made of."""

from __future__ import annotations

import errno
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from fencepost.fences.ww_lock import WwLock
from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.ledger import Ledger
from fencepost.hw.mapping.page_table import PageTable
from fencepost.hw.mapping.sdma import Sdma, Update
from fencepost.hw.memory.buffer import BufferObject
from fencepost.hw.memory.manager import MemoryManager

__all__ = ["Process", "Started"]


class ProcessMutex(WwLock):
    """Protects which buffers a process has and what is mapped where.

    Before reservations. (kernel: kfd_process.mutex)
    """

    kind: ClassVar[str] = "ProcessMutex"


@dataclass(frozen=True, slots=True)
class Started:
    """Mappings of one buffer that were started, by this call or by others before it.

    Attributes:
        handle: of the buffer.
        devices: where.
        updates: what is still on its way, or was when this was made.
        undone: by device, how often its mapping had been undone by then.
    """

    handle: int
    devices: tuple[int, ...]
    updates: tuple[Update, ...]
    undone: tuple[int, ...]

    @property
    def signaled(self) -> bool:
        """Whether all updates are over."""
        return all(update.fence.signaled for update in self.updates)


class Process:
    """A process with an address space that is the same on all of its GPUs.

    What calls change is protected by `mutex`, which is held across waits; the page tables, which the SDMA engines
    change, have locks of their own. (kernel: kfd_process)

    A buffer that is mapped anywhere is pinned, since whoever runs on a GPU may use it at any time and nobody knows.

    Args:
        gpus: the SDMA engine of each, by number.
        memory: where its buffers are.
        dispatch_us: how long a call is busy with each update before the SDMA engine has it.
        update_us: how long the SDMA engine is busy with it.
        name: what events and reports call it.

    Attributes:
        mutex: see above.
        tables: the page table on each GPU.
        ledger: what was dispatched, and what must not be.
    """

    def __init__(
        self,
        gpus: Sequence[Sdma],
        memory: MemoryManager,
        *,
        dispatch_us: int = 0,
        update_us: int = 0,
        name: str = "process",
    ) -> None:
        self.name = name
        self.gpus = tuple(gpus)
        self.tables = tuple(PageTable(f"{name} on {sdma.name}") for sdma in gpus)
        self.mutex = ProcessMutex(f"the mutex of {name}")
        self.ledger = Ledger()
        self._memory = memory
        self._dispatch_ns = 1000 * dispatch_us
        self._update_ns = 1000 * update_us
        self._buffers: dict[int, BufferObject] = {}
        self._pinned: set[int] = set()
        self._last_handle = 0

    # Client context.

    def allocate(self, size_bytes: int) -> int:
        """Make a buffer, which has no memory until it is mapped, and return its handle.

        Raises as `MemoryManager.create`.
        """
        buffer = self._memory.create(size_bytes, f"{self.name} buffer")
        with self.mutex:
            self._last_handle += 1
            self._buffers[self._last_handle] = buffer
            return self._last_handle

    def mapped(self, handle: int) -> tuple[int, ...]:
        """Return the GPUs whose page tables have a buffer, or will when all goes well. Any context."""
        return tuple(device for device, table in enumerate(self.tables) if table.wanted(handle))

    def usable(self, handle: int) -> tuple[int, ...]:
        """Return the GPUs that can rely on a buffer. Any context."""
        return tuple(device for device, table in enumerate(self.tables) if table.usable(handle))

    # The beginning and the end of a call, in client context.

    @contextmanager
    def entered(self, client: Client, arguments: Arguments) -> Generator[None]:
        """Hold the mutex in the body, with arguments that are good.

        Raises OSError: EINTR when a signal came first; ENOENT for a buffer that is not there, or any more; what
        `Arguments.check` raises. Nothing has changed then.
        """
        client.check()
        arguments.check(range(len(self.gpus)))
        client.lock(self.mutex)
        try:
            self.buffer(arguments.handle)
            yield
        finally:
            self.mutex.unlock()

    def finish(self, client: Client, started: Started) -> None:
        """Block until everything is mapped and the GPUs know it. Raises as `Client.wait_for`; then none does."""
        client.begin_wait()
        client.wait_for(started.updates)
        self.flush(started)

    def flush(self, started: Started) -> None:
        """Have the GPUs look at what was mapped, all updates being done."""
        for device, undone in zip(started.devices, started.undone, strict=True):
            table = self.tables[device]
            table.flush()
            if not table.usable(started.handle):
                self.ledger.not_usable((started.handle, device), undone)

    # Steps of a call that has entered.

    def buffer(self, handle: int) -> BufferObject:
        """Return a buffer. Raises OSError ENOENT when it was freed or never made."""
        self.mutex.check_held()
        if handle not in self._buffers:
            raise OSError(errno.ENOENT, f"{self.name} has no buffer {handle}: it was freed, or never made")
        return self._buffers[handle]

    def map(self, client: Client, handle: int, device: int) -> bool:
        """Start to map a buffer on one GPU; False when that was done before. No signal interrupts it.

        Raises OSError ENOMEM when there is no memory for the buffer or no room for the commands: nothing has changed.
        """
        table, pair = self.tables[device], (handle, device)
        if table.wanted(handle):
            return False
        lost_in_reset = table.lost(handle)
        try:
            self._validate(handle)
            update = self._dispatch(client, device, maps=True)
        except OSError:
            self.unpin_unmapped(handle)
            raise
        if lost_in_reset:
            self.ledger.undo(pair)
        self.ledger.map(pair)
        table.push(handle, update)
        return True

    def unmap(self, client: Client, handle: int, device: int, *, reserve: bool = False) -> bool:
        """Start to unmap a buffer on one GPU; False when it is not mapped. No signal interrupts it.

        Raises OSError ENOMEM when there is no room for the commands, unless there is a `reserve`.
        """
        table = self.tables[device]
        if not table.wanted(handle):
            return False
        update = self._dispatch(client, device, maps=False, reserve=reserve)
        # First, since whoever finds it unmapped looks who it was.
        self.ledger.undo((handle, device))
        table.push(handle, update)
        return True

    def unmap_for_good(self, client: Client, handle: int, devices: Sequence[int]) -> None:
        """Block until a buffer is mapped on none of `devices` and they have forgotten it; no signal interrupts it."""
        for device in devices:
            self.unmap(client, handle, device, reserve=True)
        for device in devices:
            table = self.tables[device]
            while table.in_use(handle):
                update = table.last_update(handle)
                if update is not None:
                    update.fence.wait()
                else:
                    # The update was lost in a reset.
                    self.unmap(client, handle, device, reserve=True)
            table.flush()

    def revoke(self, handle: int, device: int) -> None:
        """Unmap a buffer on one GPU at once, by magic: what is on its way is taken back, what is done undone."""
        table = self.tables[device]
        update = table.last_update(handle)
        self.ledger.undo((handle, device))
        if update is not None:
            self.gpus[device].cancel(update)
        table.drop(handle)

    def started(self, handle: int, devices: Sequence[int]) -> Started:
        """Return what is to be waited for until a buffer is mapped on `devices`. Raises as `PageTable.awaited`."""
        awaited = [self.tables[device].awaited(handle, maps=True) for device in devices]
        undone = tuple(self.ledger.undone((handle, device)) for device in devices)
        return Started(handle, tuple(devices), tuple(update for update in awaited if update is not None), undone)

    def unpin_unmapped(self, handle: int) -> None:
        """Let the memory of a buffer move that is mapped nowhere."""
        if handle in self._pinned and not any(table.in_use(handle) for table in self.tables):
            buffer = self._buffers[handle]
            with buffer.reservation:
                buffer.unpin()
            self._pinned.discard(handle)

    def forget(self, handle: int) -> None:
        """Let a buffer go that is mapped nowhere. Raises WrongState where a GPU could still get to it."""
        for table in self.tables:
            table.forget(handle)
        self.unpin_unmapped(handle)
        self._buffers.pop(handle).free()

    def _validate(self, handle: int) -> None:
        """Give a buffer memory, which stays where it is as long as it is mapped: the first GPU pays for all."""
        if handle in self._pinned:
            return
        buffer = self._buffers[handle]
        with buffer.reservation:
            try:
                self._memory.validate(buffer)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise OSError(errno.ENOMEM, f"no memory for {buffer!r}: {error.strerror}") from error
            buffer.pin()
        self._pinned.add(handle)

    def _dispatch(self, client: Client, device: int, *, maps: bool, reserve: bool = False) -> Update:
        client.work(self._dispatch_ns)
        return self.gpus[device].submit(client.name, self._update_ns, maps=maps, reserve=reserve)

    def __repr__(self) -> str:
        return f"<{self.name}>"
