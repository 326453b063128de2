"""A process with queues on many devices, all of which leave when somebody wants its memory.

Nobody knows what a user queue touches, so all memory of a process has one fence, and moves when all its queues are off
all devices. Several may take them off at the same time: an eviction that somebody waits for, a reset of a device. Each
counts its own, and who signals the fence first has them brought back; the others undo what they did.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterable
from functools import partial

from fencepost.actors import Runtime
from fencepost.errors import BadInput
from fencepost.fences import Fence
from fencepost.fences.context import context_alloc
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.fences.promise import promise
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.hw.eviction.counts import EvictionCounts
from fencepost.hw.eviction.device_queues import DeviceQueues
from fencepost.hw.eviction.worker import RESTORE, Evict, EvictionWorker
from fencepost.hw.memory.binding import Binding
from fencepost.hw.memory.buffer import BufferObject
from fencepost.hw.memory.vm import Vm
from fencepost.sync import NS_PER_S, Gate, current, deadline_ns
from fencepost.sync.observer import signalling
from fencepost.sync.tracking import published, tracked

__all__ = ["ComputeProcess"]


@tracked("_fence", "_over", "_since_ns")
@published("_gone")
class ComputeProcess:
    """A process that computes on one device or several, whose queues run only while all its memory is there.

        process = ComputeProcess(rt, Vm(memory, "a"))
        process.map(buffer, 0x10000)
        mine = mes.process("a")
        process.join(mine)
        process.begin()
        mine.queue("ccs").submit(...)

    Life cycle: *evicted* (at first) -> *running* (`begin`; its queues may be on the hardware, and all its memory has an
    unsignalled eviction fence) -> *evicted*, once somebody waited for that or `evict` was called -> *running* again
    after the back-off ... -> *over* (`exit`). An eviction that does not get all queues off in time fails: the fence
    ends with -EBUSY, no memory moves, and the queues that did leave come back at once, with the next fence.

    `_lock` protects the fence, when it was published, and the end; after reservations, before the counts.
    (KFD: kfd_process and its eviction fence)

    Args:
        runtime: where its worker runs.
        vm: its memory.
        restore_delay_s: how long it stays evicted at least, and until a restore that failed is tried again.
        min_run_s: how long its queues run at least. Whoever wants the memory waits so long, too.
        evict_timeout_s: how long its queues may take to leave.

    Attributes:
        runs: how often it was brought back.

    Raises:
        BadInput: for a time that is negative or not finite.
        WrongState: in a work queue.
    """

    def __init__(
        self,
        runtime: Runtime,
        vm: Vm,
        *,
        restore_delay_s: float = 0.1,
        min_run_s: float = 0.01,
        evict_timeout_s: float = 1.0,
    ) -> None:
        times = {"restore_delay_s": restore_delay_s, "min_run_s": min_run_s, "evict_timeout_s": evict_timeout_s}
        for where, time_s in times.items():
            if not 0 <= time_s < math.inf:
                raise BadInput(where, str(time_s), "0 or more seconds")
        self.vm = vm
        self.runs = 0
        # As often as somebody is to bring it back, which is to be done once at first.
        self._evictions = EvictionCounts(vm.name, everywhere=1)
        self._lock = current().lock()
        self._context = context_alloc()
        self._fence: Fence | None = None
        self._over = self._gone = False
        self._since_ns = 0
        self._min_run_ns = round(min_run_s * NS_PER_S)
        self._evict_timeout_s = evict_timeout_s
        self._worker = runtime.start(EvictionWorker, self, restore_delay_s, name=f"eviction of {vm.name}")

    # The owner. Client context.

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.vm.name

    @property
    def fence(self) -> Fence | None:
        """The fence that promises the next eviction, or the last one until it is back; None at first. Any context."""
        with self._lock:
            return self._fence

    def join(self, queues: DeviceQueues) -> None:
        """Have queues of a device, before the first is made, and those made later, run only while its memory is there.

        Raises OSError ESRCH when it is over, EEXIST for those that have joined.
        """
        self._check_alive()
        self._evictions.join(queues)

    def begin(self) -> None:
        """Have it run for the first time. Never blocks; any context; idempotent."""
        if self.fence is None:
            self._worker.post(RESTORE)

    def map(self, buffer: BufferObject, address: int) -> Binding:
        """Have a buffer at an address; if the queues run, it is there when this returns. Blocks as `Vm.rebound`.

        Raises as `Vm.bind`, and OSError ESRCH when it is over; nothing is bound then.
        """
        self._check_alive()
        binding = self.vm.bind(buffer, address, populate=False)
        try:
            with self.vm.lock.write():
                if (fence := self.fence) is not None and not fence.signaled:
                    with self.vm.rebound():
                        buffer.reservation.reserve()
                        with signalling():
                            publish(fence, [buffer.reservation])
        except BaseException:
            self.vm.unbind(address)
            raise
        return binding

    def evict(self) -> bool:
        """Take its queues off all devices now, whoever wants that, and have them brought back after the back-off.

        Client context; blocks until they are off. Returns False when it was evicted by somebody else, who brings it
        back, or does not run yet. Raises OSError EBUSY when they did not leave in time, and run on.
        (KFD: what a reset or a suspend does)
        """
        fence = self.fence
        if fence is None:
            return False
        owned = self.leave(fence)
        if fence.error == -errno.EBUSY:
            raise OSError(errno.EBUSY, f"the queues of {self.name} did not leave in time")
        return owned

    def evict_on(self, queues: DeviceQueues) -> Gate:
        """Take the queues off one device until `restore_on`, whatever else happens. As that of `EvictionCounts`."""
        return self._evictions.evict_on(queues)

    def restore_on(self, queues: DeviceQueues) -> None:
        """Undo one `evict_on`, and nothing else. As that of `EvictionCounts`."""
        self._evictions.restore_on(queues)

    def evictions(self, queues: DeviceQueues) -> int:
        """Say how often they are evicted. Raises OSError ENODEV for those of another process. Any context."""
        return self._evictions.on(queues)

    def exit(self, timeout_s: float | None = None) -> bool:
        """Take its queues off for good, and let its memory go wherever it is wanted. Client context; idempotent.

        Blocks until they are off; False when `timeout_s` was too short for that: then its memory is kept until it is
        called again with more luck.
        """
        with self._lock:
            self._over = True
        if not self._off(deadline_ns(timeout_s)):
            return False
        # An eviction that failed need not keep its memory any more.
        self.vm.eviction = None
        with signalling():
            if (fence := self.fence) is not None:
                fence.signal()
        return True

    # The worker.

    @property
    def stays_until_ns(self) -> int:
        """Until when it need not leave."""
        with self._lock:
            return self._since_ns + self._min_run_ns

    def leave(self, fence: Fence) -> bool:
        """Take the queues off all devices and signal `fence`; who really does that has them brought back.

        Blocks until they are off, or should be. False when somebody else was faster, and what was done is undone.
        """
        with signalling():
            if fence.signaled:
                return False
            is_off = self._off(deadline_ns(self._evict_timeout_s))
            if not self.signal(fence, 0 if is_off else -errno.EBUSY):
                self._evictions.restore()
                return False
        if is_off:
            self._worker.restore_later()
        else:
            # The roll-back: the memory has not moved, and what did leave may return as soon as the next fence is there.
            self._worker.post(RESTORE)
        return True

    def signal(self, fence: Fence, error: int) -> bool:
        """Signal an eviction fence; True for who has done it."""
        return fence.signal(error)

    def bring_back(self) -> None:
        """Bring the memory back, publish the next fence, and let the queues run. Blocks; raises as `Vm.rebound`."""
        with self.vm.lock.write():
            # Once: when it is evicted again before this returns, that is for another restore, after its back-off.
            while self._is_owed() and not self._try_to_run():
                pass

    def lose(self) -> None:
        """Let nobody wait for an eviction that does not come: its worker is gone. Any context."""
        self._gone = True
        with self._lock:
            self._over = True
            fence = self._fence
        with signalling():
            if fence is not None:
                fence.signal(-errno.ENOENT)

    # The work.

    def _off(self, when_ns: int | None) -> bool:
        """Take the queues off all devices; False when they were not by then. It is for the caller to restore them."""
        return all(gate.wait_until(when_ns) for gate in self._evictions.evict())

    def _is_owed(self) -> bool:
        """Say whether it is to be brought back: its fence has signalled, and nobody has done so since."""
        with self._lock:
            fence, over = self._fence, self._over
        return not over and (fence is None or fence.signaled)

    def _try_to_run(self) -> bool:
        """Bring all memory back, and run with it; False when some of it was gone again. The lock of it is held."""
        with self.vm.rebound():
            reservations = self.vm.reservations()
            fence = self._new_fence()
            for reservation in reservations:
                reservation.reserve()
            # From here on nothing may fail, wait or take memory: others may wait for the fence.
            with signalling():
                is_there = self.vm.unless_changed(partial(publish, fence, reservations))
                if is_there:
                    self._run(fence)
        return is_there

    def _new_fence(self) -> Fence:
        before = self.fence
        fence = PreemptFence(self._begin, self._context, 1 if before is None else before.seqno + 1, self._worker.name)
        promise(fence, by=self._worker.name)
        return fence

    def _run(self, fence: Fence) -> None:
        """Let the queues run, if it is not over, as all its memory has the fence. All reservations are held."""
        with self._lock:
            over = self._over
            if not over:
                self._fence = self.vm.eviction = fence
                self._since_ns = current().now_ns()
                self._evictions.restore()
                self.runs += 1
        if over:
            # It never promised anything to anybody who is still there.
            fence.signal(-errno.ENOENT)

    def _begin(self, fence: PreemptFence) -> bool:
        """Have the worker evict it, since somebody waits. Under the lock of the fence."""
        # Without `_lock`: if the worker goes just now, `lose` signals this fence as soon as its lock is free.
        if self._gone:
            return False
        self._worker.post(Evict(fence))
        return True

    def _check_alive(self) -> None:
        with self._lock:
            if self._over:
                raise OSError(errno.ESRCH, f"{self!r} is over")

    def __repr__(self) -> str:
        return f"<process {self.name}>"


def publish(fence: Fence, reservations: Iterable[Reservation]) -> None:
    """Have those find a fence who want the memory. Reservations are held."""
    for reservation in reservations:
        reservation.add(fence, Usage.BOOKKEEP)
