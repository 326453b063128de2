"""Who pays for a hang or a fault: verdicts over what was on the hardware, from what is known.

What a policy is told comes from the driver, after the hardware was halted; what it says is carried out by the driver.
A verdict knows three fates of a job: it is left as it is (it goes on, is complete, or has not started and stands where
it stood), it runs again from its start, or it is killed. Who loses a job loses the queue: what comes behind a lost job
was made in the belief that it had run. (xe: xe_guc_submit.c, guc_exec_queue_timedout_job and its reset path)
"""

from __future__ import annotations

import abc
import enum
import errno
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from fencepost.errors import BadInput

__all__ = [
    "LEAVE",
    "RECOVERIES",
    "REQUEUE",
    "Action",
    "EngineReset",
    "Evidence",
    "Fate",
    "FullReset",
    "Health",
    "KillVm",
    "PendingJob",
    "RecoveryPolicy",
    "Reset",
    "Verdict",
    "new_recovery",
    "wedge",
]

REQUEUE_LIMIT: Final = 2


class Health(enum.Enum):
    """What a queue is told about itself."""

    HEALTHY = "healthy"
    GUILTY = "guilty"
    INNOCENT = "innocent"
    """It has lost jobs by what another did."""
    UNKNOWN = "unknown"
    """It was on the hardware when something happened, and nobody knows who did it."""


class Action(enum.Enum):
    """What becomes of a job."""

    LEAVE = "leave"
    REQUEUE = "requeue"
    KILL = "kill"


class Reset(enum.Enum):
    """What the hardware has to go through."""

    QUEUES = "queues"
    """What is killed is taken off; nobody else need notice."""
    FULL = "full"
    """Everything: what had started and is left alive starts anew."""
    WEDGE = "wedge"
    """Nothing helps: all jobs end with an error, and no more are taken."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a hang or a fault. With neither `vms` nor `contexts`, the culprit is not known.

    Attributes:
        vms: the address spaces that faulted.
        contexts: the queues that hang.
        running: the queues that were on the hardware when it was halted; None when that is not known either.
        error: what the culprits' jobs end with that had started. The others that are killed end with -ECANCELED.
    """

    vms: frozenset[str] = frozenset()
    contexts: frozenset[int] = frozenset()
    running: frozenset[int] | None = None
    error: int = -errno.ETIMEDOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingJob:
    """A job that was given to the hardware, as a policy sees it.

    Attributes:
        vm: its address space.
        context: its queue: jobs of one context run one after the other.
        started: some of it was executed.
        complete: all of it was, whether or not anybody was told.
        interrupted: what was executed is lost, whatever the verdict: the halt has cut it off.
        idempotent: it may be executed again, its client says.
        kernel: it is the kernel's own, which is never to blame.
        requeues: how often it was sent to run again.
        karma: how many hangs it was blamed for.
        hang_limit: how many of these are forgiven.
    """

    vm: str
    context: int
    started: bool
    complete: bool = False
    interrupted: bool = False
    idempotent: bool = False
    kernel: bool = False
    requeues: int = 0
    karma: int = 0
    hang_limit: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one job.

    Attributes:
        action: what is done.
        error: what it ends with, if it is killed.
        blamed: whether a hang is counted against it.
    """

    action: Action
    error: int = 0
    blamed: bool = False


LEAVE: Final = Fate(Action.LEAVE)
REQUEUE: Final = Fate(Action.REQUEUE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done.

    Attributes:
        fates: of the jobs, in the order in which they were given.
        contexts: the queues that are banned, and what each is told.
        vms: the address spaces all of whose queues are banned, and what these are told.
        reset: what the hardware goes through.
    """

    fates: tuple[Fate, ...]
    contexts: Mapping[int, Health] = field(default_factory=dict[int, Health])
    vms: Mapping[str, Health] = field(default_factory=dict[str, Health])
    reset: Reset = Reset.QUEUES


def wedge(verdict: Verdict, jobs: Iterable[PendingJob], error: int = -errno.EIO) -> Verdict:
    """Give the device up: as the verdict, but every job that is not complete is killed."""
    fates = tuple(
        fate if job.complete or fate.action is Action.KILL else Fate(Action.KILL, error)
        for job, fate in zip(jobs, verdict.fates, strict=True)
    )
    return replace(verdict, fates=fates, reset=Reset.WEDGE)


@dataclass(slots=True)
class Condemned:
    """Who is to blame, and what it takes to be rid of them."""

    contexts: dict[int, Health] = field(default_factory=dict[int, Health])
    vms: dict[str, Health] = field(default_factory=dict[str, Health])
    reset: Reset = Reset.QUEUES


class RecoveryPolicy(abc.ABC):
    """Says who is to blame; the rest follows.

    - A job that is complete is left, whoever's it is.
    - All other jobs of the condemned are killed.
    - A job that was cut off, or is lost by a full reset, runs again only if its client allows it, none behind it in its
      queue has started, and it has not done so too often; otherwise it is killed, and so is all that comes behind it.
    - A hang within the limit of its job is forgiven, if the job may run again.
    - A job of the kernel is never to blame. It runs again; when that does not help, nothing will: the device is wedged.

    Args:
        requeue_limit: how often a job may be sent to run again.
    """

    def __init__(self, *, requeue_limit: int = REQUEUE_LIMIT) -> None:
        if requeue_limit < 0:
            raise BadInput("requeue_limit", str(requeue_limit), "0 or more")
        self.requeue_limit = requeue_limit

    @abc.abstractmethod
    def concerns_all(self, evidence: Evidence) -> bool:
        """Say whether all queues of the device must be stopped for this, or only that which hangs."""

    @abc.abstractmethod
    def condemn(self, evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
        """Say who is to blame. The contexts of `evidence` have jobs that are not complete, and are not forgiven."""

    def judge(self, evidence: Evidence, jobs: Sequence[PendingJob]) -> Verdict:
        """Say what becomes of the jobs, which are given oldest first, those of each context at least."""
        oldest = _oldest(jobs)
        culprits = [oldest[context] for context in sorted(evidence.contexts) if context in oldest]
        spared = {job.context for job in culprits if job.kernel or self._forgives(job, jobs)}
        guilty = frozenset(job.context for job in culprits) - spared
        known = bool(evidence.contexts or evidence.vms)
        condemned = Condemned()
        if guilty or evidence.vms or not known:
            condemned = self.condemn(replace(evidence, contexts=guilty), jobs)
        return self._sentence(evidence, jobs, condemned, spared)

    def _forgives(self, job: PendingJob, jobs: Sequence[PendingJob]) -> bool:
        return job.karma < job.hang_limit and self._may_run_again(job, jobs)

    def _may_run_again(self, job: PendingJob, jobs: Sequence[PendingJob]) -> bool:
        if not (job.idempotent or job.kernel) or job.requeues >= self.requeue_limit:
            return False
        behind = [other for other in jobs if other.context == job.context]
        behind = behind[next(index for index, other in enumerate(behind) if other is job) + 1 :]
        return not any(other.started for other in behind)

    def _sentence(
        self, evidence: Evidence, jobs: Sequence[PendingJob], condemned: Condemned, spared: set[int]
    ) -> Verdict:
        oldest = _oldest(jobs)
        banned = dict(condemned.contexts)
        fates: list[Fate] = []
        for job in jobs:
            is_oldest = oldest.get(job.context) is job
            hangs = is_oldest and job.context in spared
            if job.complete:
                fate = LEAVE
            elif job.context in condemned.contexts or (job.vm in condemned.vms and not job.kernel):
                real = is_oldest and (job.started or job.context in evidence.contexts)
                blamed = Health.GUILTY in (condemned.contexts.get(job.context), condemned.vms.get(job.vm))
                fate = Fate(Action.KILL, evidence.error if real else -errno.ECANCELED, blamed=real and blamed)
            elif job.context in banned:
                fate = Fate(Action.KILL, -errno.ECANCELED)
            elif not (hangs or job.interrupted or (job.started and condemned.reset is Reset.FULL)):
                fate = LEAVE
            elif self._may_run_again(job, jobs):
                fate = replace(REQUEUE, blamed=hangs and not job.kernel)
            else:
                fate = Fate(Action.KILL, -errno.ECANCELED)
                banned[job.context] = Health.INNOCENT
            fates.append(fate)
        verdict = Verdict(tuple(fates), banned, condemned.vms, condemned.reset)
        lost = (fate.action is Action.KILL and job.kernel for job, fate in zip(jobs, fates, strict=True))
        return wedge(verdict, jobs) if any(lost) else verdict


class EngineReset(RecoveryPolicy):
    """Ban the queue that hangs, and nobody else. When it is not known, as `KillVm`."""

    def concerns_all(self, evidence: Evidence) -> bool:
        return not evidence.contexts

    def condemn(self, evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
        if not evidence.contexts:
            return _condemn_vms(evidence, jobs)
        return Condemned(contexts=dict.fromkeys(evidence.contexts, Health.GUILTY))


class KillVm(RecoveryPolicy):
    """Ban the address space that faulted or hangs: all it has written is suspect.

    When it is not known, ban every one that was on the hardware; when that is not known either, as `FullReset`.
    """

    def concerns_all(self, evidence: Evidence) -> bool:  # noqa: ARG002 - the rule's
        return True

    def condemn(self, evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
        return _condemn_vms(evidence, jobs)


class FullReset(RecoveryPolicy):
    """Reset everything, and ban who hangs; when it is not known, each queue that had started something."""

    def concerns_all(self, evidence: Evidence) -> bool:  # noqa: ARG002 - the rule's
        return True

    def condemn(self, evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
        return _condemn_started(evidence, jobs)


RECOVERIES: Final[Mapping[str, Callable[[], RecoveryPolicy]]] = MappingProxyType(
    {"engine_reset": EngineReset, "kill_vm": KillVm, "full_reset": FullReset}
)


def new_recovery(policy: str | RecoveryPolicy, *, where: str = "recovery") -> RecoveryPolicy:
    """Make the recovery policy of a name; one that is made already is returned.

    Raises:
        BadInput: there is no such policy.
    """
    if isinstance(policy, RecoveryPolicy):
        return policy
    if policy not in RECOVERIES:
        raise BadInput(where, repr(policy), f"one of {', '.join(RECOVERIES)}")
    return RECOVERIES[policy]()


def _oldest(jobs: Sequence[PendingJob]) -> dict[int, PendingJob]:
    """Return the oldest job of each context that is not complete."""
    return {job.context: job for job in reversed(jobs) if not job.complete}


def _condemn_vms(evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
    vms = evidence.vms | _vms(evidence.contexts, jobs)
    if vms:
        return Condemned(vms=dict.fromkeys(vms, Health.GUILTY))
    if evidence.running is None:
        return _condemn_started(evidence, jobs)
    return Condemned(vms=dict.fromkeys(_vms(evidence.running, jobs), Health.UNKNOWN))


def _condemn_started(evidence: Evidence, jobs: Sequence[PendingJob]) -> Condemned:
    contexts = evidence.contexts
    if not (contexts or evidence.vms):
        contexts = frozenset(job.context for job in _oldest(jobs).values() if job.started and not job.kernel)
    return Condemned(
        contexts=dict.fromkeys(contexts, Health.GUILTY),
        vms=dict.fromkeys(evidence.vms, Health.GUILTY),
        reset=Reset.FULL,
    )


def _vms(contexts: Iterable[int], jobs: Sequence[PendingJob]) -> frozenset[str]:
    """Return the address spaces of the jobs of some queues that are not complete, the kernel's left out."""
    oldest = _oldest(jobs)
    return frozenset(oldest[context].vm for context in contexts if context in oldest and not oldest[context].kernel)
