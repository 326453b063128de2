"""Random programs with faults, in virtual time: whatever happens, every fence signals and nobody is wronged."""

from __future__ import annotations

import errno
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Entity, Job, Runtime
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.hw.agx import (
    Agx,
    ChannelError,
    Commands,
    Death,
    Hang,
    IgnoredHalt,
    LostNotices,
    PageFault,
)
from fencepost.hw.agx.misfortune import Step
from fencepost.policies import Health
from tests.hw.agx.kit import assert_consistent, starts

VMS = 3
KINDS = ("compute", "render", "all")
RECOVERIES = ("kill_vm", "engine_reset", "full_reset")
TIMEOUT_S = 0.001
ERRNOS = (errno.EIO, errno.ECANCELED, errno.ENODATA, errno.ETIMEDOUT, errno.ESRCH, errno.ENODEV, errno.EINVAL)
ERRORS = {0, *(-number for number in ERRNOS)}

Instruction: TypeAlias = tuple[str, int, int, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["submit"] * 8
            + ["sleep"] * 4
            + ["page_fault", "page_fault", "hang", "channel_error", "lost_notices", "kill", "fault_now"]
            + ["ignored_halt", "death"]
        ),
        st.integers(0, 11),
        st.integers(0, 11),
        st.integers(0, 11),
    ),
    max_size=50,
)


class Program:
    """Runs steps; every number means something whatever it is."""

    def __init__(self, rt: Runtime, recovery: str) -> None:
        self.rt = rt
        self.recovery = recovery
        self.guessed = False
        self.agx = Agx(
            recovery=recovery,
            event_slots=4,
            max_in_flight=4,
            timeout_s=TIMEOUT_S,
            patience_s=0.001,
            halt_limit=2,
        )
        self.schedulers = [self.agx.scheduler(rt, kinds, timeout_s=2 * TIMEOUT_S) for kinds in KINDS]
        self.entities: list[Entity] = [
            scheduler.entity(vm=f"vm{number}") for scheduler in self.schedulers for number in range(VMS)
        ]
        self.jobs: list[Job] = []
        self.culprits: set[str] = set()
        # How many commands each job has that must not be executed again.
        self.once: dict[Job, int] = {}

    def step(self, step: Instruction) -> None:
        name, *numbers = step
        getattr(self, name)(*numbers)

    def submit(self, a: int, b: int, c: int) -> None:
        entity = self.entities[a % len(self.entities)]
        durations = (10.0 * b,) * (1 + c % 2)
        deps = [self.jobs[-1 - b].finished] if c % 3 == 0 and b < len(self.jobs) else []
        work = [
            Commands(compute_us=durations),
            Commands(vertex_us=(b,), fragment_us=durations),
            Commands(fragment_us=durations, compute_us=(5,)),
        ][a % len(self.entities) // VMS]
        try:
            job = entity.submit(work=work, deps=deps, idempotent=c > 5)
        except OSError as refused:
            assert -(refused.errno or 0) in ERRORS  # noqa: PT017 - and otherwise nothing was raised
            assert entity.killed or entity.banned or self.agx.crashed
        else:
            self.jobs.append(job)
            if c <= 5:
                self.once[job] = len(work.vertex_us + work.fragment_us + work.compute_us)

    def sleep(self, a: int, b: int, _: int) -> None:
        self.rt.world.sleep((a + 1) * (b + 1) * 1e-6)

    def vm(self, number: int) -> str:
        vm = f"vm{number % VMS}"
        self.culprits.add(vm)
        return vm

    def page_fault(self, a: int, b: int, _: int) -> None:
        self.agx.inject(PageFault(self.vm(a), vm_known=b % 3 > 0))
        # Where nothing is known, who had started something counts as guilty under this policy.
        self.guessed |= b % 3 == 0 and self.recovery == "full_reset"

    def hang(self, a: int, *_: int) -> None:
        self.agx.inject(Hang(self.vm(a)))

    def channel_error(self, a: int, *_: int) -> None:
        self.agx.inject(ChannelError(self.vm(a)))

    def lost_notices(self, a: int, *_: int) -> None:
        self.agx.inject(LostNotices(1 + a % 3))

    def fault_now(self, a: int, *_: int) -> None:
        self.schedulers[a % len(KINDS)].fault()

    def kill(self, a: int, *_: int) -> None:
        self.entities[a % len(self.entities)].kill()

    def ignored_halt(self, a: int, *_: int) -> None:
        if a == 0:
            self.agx.inject(IgnoredHalt())

    def death(self, a: int, b: int, _: int) -> None:
        if a == 0:
            at: tuple[Step | None, ...] = (None, "kick", "start", "done", "notice", "halt", "resume")
            self.agx.inject(Death(at[b % 7], silent=b % 2 > 0))

    def check(self) -> None:
        assert_consistent(self.agx, self.schedulers)

    def check_end(self) -> None:
        """Everything ends by itself: each job in bounded time, whatever has happened."""
        for job in self.jobs:
            assert job.finished.wait(10 * TIMEOUT_S * (1 + len(self.jobs))), f"nobody ended {job!r}"
            assert job.finished.error in ERRORS
        for entity in self.entities:
            guilty = entity.status().health is Health.GUILTY
            assert not guilty or self.guessed or entity.vm in self.culprits, f"{entity!r} is innocent"
        for job, commands in self.once.items():
            assert starts(self.rt, job) <= commands, f"{job!r} was executed again"


@settings(max_examples=150)
@given(steps=STEPS, recovery=st.sampled_from(RECOVERIES))
def test_every_fence_signals_and_nobody_is_wronged(steps: list[Instruction], recovery: str) -> None:
    with Runtime(world="virtual", events=None) as rt:
        program = Program(rt, recovery)
        for step in steps:
            program.step(step)
            program.check()
        program.check_end()
    assert check_quiescent(rt) == []
    assert rt.events is not None
    assert check_events(rt.events) == []
