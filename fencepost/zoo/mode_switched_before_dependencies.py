"""Long-running work that was suspended for a job which waits for that very work."""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, get_stub
from fencepost.hw.long_running.engine_group import EngineGroup, ResumeWork
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug

__all__ = ["BUG", "EngineGroupAsItWas"]


class EngineGroupAsItWas(EngineGroup):
    """Takes the engines for a job whatever that still has to wait for."""

    def wait_first(self, after: Sequence[Fence]) -> None:
        """Leave it to the scheduler."""


class LongWork:
    """Work that can fault: it goes on while nobody holds it off. `_lets_run` is open then."""

    name = "L"

    def __init__(self) -> None:
        self._lets_run = Gate("L being resumed")
        self.seen = Fence(name="what a program signals when it has seen L go on")

    def suspend(self) -> Fence:
        """Stop it."""
        self._lets_run = Gate("L being resumed")
        return get_stub()

    def resume(self) -> None:
        """Let it go on."""
        self._lets_run.open()

    def kill(self) -> None:
        """Let it be."""

    def run(self) -> None:
        """Go on as soon as it may."""
        self._lets_run.wait()
        self.seen.signal()


def model(group_class: type[EngineGroup], runtime: Runtime) -> None:
    """Submit a job that comes after a fence which needs the long-running work."""
    group, work = group_class(), LongWork()
    runtime.start(ResumeWork, group, name="resume work")
    group.add(work)
    runtime.spawn(work.run, "L")
    done = Fence(name="K")

    def push() -> Fence:
        if not work.seen.add_callback(lambda _fence: done.signal()):
            done.signal()
        return done

    job = runtime.spawn(lambda: group.submit(push, [work.seen]), "K")
    job.join()
    done.wait()


BUG = Bug(
    name="mode-switched-before-dependencies",
    title=None,
    fix="a later version of xe's engine groups than the first; commit and date not known",
    symptom="a job with a fence and long-running work wait for each other",
    interleaving="the job takes the engines, for which the work is suspended; the job waits for what the work"
    " would have come to; the work is resumed when the fence of the job has signalled",
    repair="wait for what the job comes after first, holding nothing",
    broken=lambda runtime: model(EngineGroupAsItWas, runtime),
    fixed=lambda runtime: model(EngineGroup, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
