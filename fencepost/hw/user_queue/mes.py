"""A GPU with user queues: engines, firmware that listens to doorbells, and the little that is left to a driver."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import ClassVar

from fencepost.actors import Runtime
from fencepost.actors.hang_timer import check_timeout
from fencepost.errors import BadInput
from fencepost.fences import Fence
from fencepost.hw.engine_classes import DEFAULT_ENGINES, check_engines
from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.guc.messages import ContextId, Policies
from fencepost.hw.statistics import GpuStatistics
from fencepost.hw.user_queue.doorbell import Doorbell
from fencepost.hw.user_queue.fence_timer import FenceTimer
from fencepost.hw.user_queue.firmware import Firmware
from fencepost.hw.user_queue.messages import Add, Lose, Poll, Rung
from fencepost.hw.user_queue.misfortune import Misfortune, Road
from fencepost.hw.user_queue.mqd import Identity, Mqd
from fencepost.hw.user_queue.process import Process
from fencepost.hw.user_queue.protected_fences import ProtectedFences
from fencepost.hw.user_queue.queue import UserQueue
from fencepost.hw.user_queue.ring import PacketRing
from fencepost.policies import Priority

__all__ = ["Mes"]

NO_MISFORTUNE = Misfortune()


class Mes:
    """Engines, and a firmware that maps user queues to hardware slots.

        mes = Mes(rt, {"ccs": 1}, slots=8)
        queue = mes.process("game").queue("ccs")
        queue.submit(Packet(duration_us=500, protected=True))
        queue.fence().wait()

    No scheduler and no entity stands between a program and an engine. What a driver has left to do is to make queues,
    to make kernel fences of what they write, to find out that one hangs, and to take a process off when others want
    its memory (`hw.eviction`).

    It is called after AMD's micro engine scheduler. Among mapped queues the most important executes; equals take turns
    of a quantum. So it is with slots among queues.

    Args:
        runtime: where its actors run, entered. Client context.
        engines: how many there are of each class: rcs, bcs, vcs, vecs, ccs; 1 to 64 each.
        slots: how many queues can be mapped at a time.
        preempt_us: where packets can be preempted that do not say it themselves.
        quantum_us: how long a queue may keep an engine or a slot that an equal waits for; 0 for as long as it likes.
        preempt_timeout_us: how long a queue may take to yield before it is reset; 0 for ever.
        hang_timeout_s: how long a kernel fence may be pending before it is looked for a hang; None is for ever. As long
            may a packet execute then.
        poll_us: how often the firmware looks at the pointers of unmapped queues.
        misfortune: what happens to doorbells.

    Attributes:
        engines: by class, the names of its engines.
        firmware, hardware, aggregated: what it is made of; the last is the doorbell of all unmapped queues.
        firmware_class: what it makes. Replace it by a subclass to try one step done otherwise.

    Raises:
        BadInput: for an unknown class, a count outside of 1 to 64, no engines, no slots, a negative number.
    """

    firmware_class: ClassVar[type[Firmware]] = Firmware

    def __init__(
        self,
        runtime: Runtime,
        engines: Mapping[str, int] = DEFAULT_ENGINES,
        *,
        slots: int = 32,
        preempt_us: int = 100,
        quantum_us: float = 1_000,
        preempt_timeout_us: float = 640_000,
        hang_timeout_s: float | None = None,
        poll_us: float = 1_000,
        misfortune: Misfortune = NO_MISFORTUNE,
    ) -> None:
        check_engines(engines, "engines")
        check_timeout(hang_timeout_s, "hang_timeout_s")
        if slots < 1:
            raise BadInput("slots", str(slots), "at least 1")
        _check_numbers(preempt_us=preempt_us, quantum_us=quantum_us, preempt_timeout_us=preempt_timeout_us)
        _check_numbers(poll_us=poll_us)
        self.engines: Mapping[str, tuple[str, ...]] = {
            engine_class: tuple(f"{engine_class}{instance}" for instance in range(number))
            for engine_class, number in engines.items()
        }
        self._names = tuple(name for names in self.engines.values() for name in names)
        self._preempt_us = preempt_us
        self._quantum_us = quantum_us
        self._preempt_timeout_us = preempt_timeout_us
        self._hang_timeout_s = hang_timeout_s
        self._world = world = runtime.world
        self._road = Road(world, misfortune)
        self._numbers = count(1)
        self._gone = False
        self.firmware = runtime.start(
            self.firmware_class, world, self._road, slots=slots, poll_us=poll_us, name="mes firmware"
        )
        self.hardware = Hardware(world, runtime.events, self._names, self.firmware.post)
        self.aggregated = Doorbell(partial(self._road.carry, lambda: self.firmware.post(Poll(rung=True))))
        self.firmware.attach(self.hardware, self.aggregated)

    def process(self, name: str) -> Process:
        """Make a process, which can have 512 queues. Client context. See `Process`."""
        return Process(self, name)

    def queue(
        self,
        process: Process,
        engines: str | Sequence[str],
        name: str | None = None,
        *,
        size: int = 256,
        priority: Priority = Priority.NORMAL,
        lost: Callable[[int], object] | None = None,
        aggregated: bool = False,
    ) -> UserQueue:
        """Make a queue. Client context.

        Args:
            process: whose it is.
            engines: where it may run: a class, an engine, or several engines.
            name: None makes one from the process and a number.
            size: how many packets its ring holds, a power of two.
            priority: how important it is to the firmware.
            lost: called with the error if it hangs, faults or is lost with its device; it may only post.
            aggregated: whether it rings the doorbell of all unmapped queues besides its own, so that none is missed.

        Raises:
            BadInput: for an engine that it has not.
            OSError: EINVAL for a ring of another size, ENOSPC when the doorbell page of the process is full, ENODEV
                when the device is gone.
        """
        if self._gone:
            raise OSError(errno.ENODEV, f"{self!r} is gone: it takes no queues any more")
        names = self._named(engines)
        ring = PacketRing(size)
        offset = process.page.take()
        number = next(self._numbers)
        name = name or f"{process.name}.{number}"
        mqd = Mqd(
            Identity(ContextId(number, 0), name, process.name, process, names),
            Policies(int(priority), self._quantum_us, self._preempt_timeout_us),
            ring,
            Doorbell(lambda: self._road.carry(lambda: self.firmware.post(Rung(mqd)))),
            ProtectedFences(self._world, name, lambda fence: self.watch(mqd, fence)),
            default_preempt_us=self._preempt_us,
            lost=lost,
        )
        self.firmware.post(Add(mqd))
        return UserQueue(process, mqd, offset, aggregated=aggregated)

    def watch(self, mqd: Mqd, fence: Fence) -> None:
        """Find out if a fence of a queue does not signal, whether anybody waits for it or not. By the queue."""
        if self._hang_timeout_s is not None:
            FenceTimer(self._world, mqd, fence, self._hang_timeout_s, self.firmware.post).start()

    def reset_engine(self, engine: str) -> bool:
        """Reset an engine under what it executes, of which that queue dies; False when that is nothing.

        Raises BadInput for an engine that it has not.
        """
        (name,) = self._named((engine,))
        with self.hardware as contexts:
            return contexts.reset_engine(name)

    def unplug(self) -> None:
        """Take the device away: all queues end with -ENODEV. Never blocks; any context."""
        self._gone = True
        self.firmware.post(Lose(-errno.ENODEV))

    def statistics(self) -> GpuStatistics:
        """Count what the engines did, up to now. Any context."""
        return self.hardware.statistics()

    def _named(self, engines: str | Sequence[str]) -> tuple[str, ...]:
        names = self.engines.get(engines, (engines,)) if isinstance(engines, str) else tuple(engines)
        for name in names or ("",):
            if name not in self._names:
                raise BadInput("engine", repr(name), f"one of {', '.join((*self.engines, *self._names))}")
        return names

    def __repr__(self) -> str:
        return f"<Mes {', '.join(f'{name}={len(names)}' for name, names in self.engines.items())}>"


def _check_numbers(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:
            raise BadInput(name, str(number), "0 or more")
