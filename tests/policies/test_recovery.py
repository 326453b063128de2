"""Recovery verdicts: the rows of the table, the numbered cases, and what must hold of all."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.errors import BadInput
from fencepost.policies.recovery import (
    LEAVE,
    RECOVERIES,
    REQUEUE,
    Action,
    EngineReset,
    Evidence,
    Fate,
    FullReset,
    Health,
    KillVm,
    PendingJob,
    RecoveryPolicy,
    Reset,
    Verdict,
    new_recovery,
    wedge,
)

FAULT = -errno.EIO
HANG = -errno.ETIMEDOUT
CANCELLED = Fate(Action.KILL, -errno.ECANCELED)


def job(context: int, *, vm: str = "", **what: Any) -> PendingJob:  # noqa: ANN401 - any field
    """Make a job that has started, of an address space that is named after its queue."""
    return replace(PendingJob(vm=vm or f"vm{context}", context=context, started=True), **what)


def waiting(context: int, **what: Any) -> PendingJob:  # noqa: ANN401
    return job(context, **what, started=False)


def killed(error: int, *, blamed: bool = True) -> Fate:
    return Fate(Action.KILL, error, blamed)


# The table: who is killed, by what is known.


def test_a_known_vm_is_killed_with_all_its_queues_and_others_are_untouched() -> None:
    jobs = [job(1, vm="a"), waiting(1, vm="a"), waiting(2, vm="a"), job(3)]
    verdict = KillVm().judge(Evidence(vms=frozenset({"a"}), error=FAULT), jobs)
    assert verdict.fates == (killed(FAULT), CANCELLED, CANCELLED, LEAVE)
    assert verdict.vms == {"a": Health.GUILTY}
    assert not verdict.contexts
    assert verdict.reset is Reset.QUEUES


def test_a_known_queue_is_banned_and_others_are_untouched() -> None:
    jobs = [job(1, vm="a"), waiting(1, vm="a"), job(2, vm="a"), job(3)]
    verdict = EngineReset().judge(Evidence(contexts=frozenset({1})), jobs)
    assert verdict.fates == (killed(HANG), CANCELLED, LEAVE, LEAVE)
    assert verdict.contexts == {1: Health.GUILTY}
    assert not verdict.vms


@pytest.mark.parametrize("policy", [KillVm(), EngineReset()])
def test_when_only_the_set_on_the_gpu_is_known_every_vm_of_it_is_killed(policy: RecoveryPolicy) -> None:
    jobs = [job(1), job(2), job(3), waiting(4, vm="vm1")]
    verdict = policy.judge(Evidence(running=frozenset({1, 2}), error=FAULT), jobs)
    assert verdict.fates == (killed(FAULT, blamed=False), killed(FAULT, blamed=False), LEAVE, CANCELLED)
    assert verdict.vms == {"vm1": Health.UNKNOWN, "vm2": Health.UNKNOWN}


@pytest.mark.parametrize("name", RECOVERIES)
def test_when_nothing_is_known_everything_is_reset_and_who_had_started_is_guilty(name: str) -> None:
    jobs = [job(1), waiting(1), waiting(2), waiting(3)]
    verdict = new_recovery(name).judge(Evidence(), jobs)
    assert verdict.fates == (killed(HANG), CANCELLED, LEAVE, LEAVE)
    assert verdict.contexts == {1: Health.GUILTY}
    assert verdict.reset is Reset.FULL


def test_a_job_that_went_through_too_many_resets_is_killed() -> None:
    jobs = [job(1), job(2, idempotent=True, requeues=2), waiting(2, idempotent=True)]
    verdict = FullReset(requeue_limit=2).judge(Evidence(contexts=frozenset({1})), jobs)
    assert verdict.fates[1:] == (CANCELLED, CANCELLED)
    assert verdict.contexts == {1: Health.GUILTY, 2: Health.INNOCENT}


def test_a_wedged_device_has_no_job_left() -> None:
    jobs = [job(1), job(2, complete=True), waiting(3)]
    verdict = wedge(EngineReset().judge(Evidence(contexts=frozenset({1})), jobs), jobs)
    assert verdict.fates == (killed(HANG), LEAVE, Fate(Action.KILL, FAULT))
    assert verdict.reset is Reset.WEDGE


# Rerun of the innocent.


def test_t4_1_an_idempotent_job_of_another_vm_runs_again_and_what_is_behind_it_waits() -> None:
    jobs = [job(1), job(2, interrupted=True, idempotent=True), waiting(2)]
    verdict = KillVm().judge(Evidence(vms=frozenset({"vm1"}), error=FAULT), jobs)
    assert verdict.fates == (killed(FAULT), REQUEUE, LEAVE)
    assert verdict.vms == {"vm1": Health.GUILTY}
    assert not verdict.contexts


def test_t4_2_one_that_is_not_idempotent_is_killed_with_what_is_behind_it() -> None:
    jobs = [job(1), job(2, interrupted=True), waiting(2, idempotent=True)]
    verdict = KillVm().judge(Evidence(vms=frozenset({"vm1"}), error=FAULT), jobs)
    assert verdict.fates == (killed(FAULT), CANCELLED, CANCELLED)
    assert verdict.contexts == {2: Health.INNOCENT}


def test_t4_3_without_fault_information_both_are_killed() -> None:
    jobs = [job(1), job(2, idempotent=True)]
    verdict = KillVm().judge(Evidence(running=frozenset({1, 2}), error=FAULT), jobs)
    assert [fate.action for fate in verdict.fates] == [Action.KILL, Action.KILL]


@pytest.mark.parametrize("name", RECOVERIES)
def test_t4_4_a_job_that_is_complete_is_a_success_whatever_was_known(name: str) -> None:
    jobs = [job(1), job(2, complete=True, interrupted=True)]
    verdict = new_recovery(name).judge(Evidence(vms=frozenset({"vm2"})), jobs)
    assert verdict.fates[1] == LEAVE


def test_a_job_does_not_run_again_when_one_behind_it_has_started() -> None:
    jobs = [job(1), job(2, idempotent=True), job(2, idempotent=True)]
    verdict = FullReset().judge(Evidence(contexts=frozenset({1})), jobs)
    assert verdict.fates == (killed(HANG), CANCELLED, CANCELLED)


# Blame.


def test_a_hang_within_the_limit_is_forgiven_to_a_job_that_may_run_again() -> None:
    jobs = [job(1, idempotent=True, hang_limit=1), waiting(1), job(2)]
    verdict = EngineReset().judge(Evidence(contexts=frozenset({1})), jobs)
    assert verdict.fates == (replace(REQUEUE, blamed=True), LEAVE, LEAVE)
    assert not verdict.contexts


@pytest.mark.parametrize("what", [{"karma": 1, "idempotent": True}, {"idempotent": False}])
def test_a_hang_beyond_the_limit_or_that_cannot_be_repaired_is_not(what: dict[str, Any]) -> None:
    verdict = EngineReset().judge(Evidence(contexts=frozenset({1})), [job(1, hang_limit=1, **what)])
    assert verdict.fates == (killed(HANG),)


def test_a_job_of_the_kernel_is_not_blamed_but_runs_again() -> None:
    verdict = EngineReset().judge(Evidence(contexts=frozenset({1})), [job(1, kernel=True), waiting(1, kernel=True)])
    assert verdict == Verdict((REQUEUE, LEAVE))


def test_when_a_job_of_the_kernel_hangs_too_often_the_device_is_wedged() -> None:
    jobs = [job(1, kernel=True, requeues=2), job(2)]
    verdict = EngineReset().judge(Evidence(contexts=frozenset({1})), jobs)
    assert verdict.fates == (CANCELLED, Fate(Action.KILL, FAULT))
    assert verdict.reset is Reset.WEDGE


def test_nothing_is_done_when_the_queue_that_hung_has_completed_meanwhile() -> None:
    jobs = [job(1, complete=True), job(2)]
    for name in RECOVERIES:
        assert new_recovery(name).judge(Evidence(contexts=frozenset({1})), jobs) == Verdict((LEAVE, LEAVE))


# By name.


def test_a_policy_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadInput, match="gpu: found 'pray', expected one of engine_reset, kill_vm, full_reset"):
        new_recovery("pray", where="gpu")


def test_a_policy_that_was_made_is_taken() -> None:
    policy = KillVm(requeue_limit=0)
    assert new_recovery(policy) is policy


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(BadInput, match="requeue_limit"):
        KillVm(requeue_limit=-1)


# What must hold of all.

flags = st.booleans()


@st.composite
def pending_jobs(draw: st.DrawFn) -> list[PendingJob]:
    """Jobs of up to five queues of three address spaces, of which the kernel has one; complete ones come first."""
    jobs: list[PendingJob] = []
    for context in range(draw(st.integers(1, 5))):
        kernel = context == 4
        vm = "kernel" if kernel else f"vm{draw(st.integers(0, 1))}"
        states = draw(st.lists(st.sampled_from(["complete", "interrupted", "started", "waiting"]), max_size=4))
        order = ["complete", "interrupted", "started", "waiting"]
        jobs += [
            PendingJob(
                vm=vm,
                context=context,
                started=state != "waiting",
                complete=state == "complete",
                interrupted=state == "interrupted",
                idempotent=draw(flags),
                kernel=kernel,
                requeues=draw(st.integers(0, 3)),
                karma=draw(st.integers(0, 2)),
                hang_limit=draw(st.integers(0, 2)),
            )
            for state in sorted(states, key=order.index)
        ]
    return jobs


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    return Evidence(
        vms=draw(st.frozensets(st.sampled_from(["vm0", "vm1"]), max_size=1)),
        contexts=draw(st.frozensets(st.integers(0, 4), max_size=2)),
        running=draw(st.none() | st.frozensets(st.integers(0, 4))),
        error=draw(st.sampled_from([HANG, FAULT])),
    )


verdicts = st.tuples(st.sampled_from([EngineReset(), KillVm(), FullReset()]), evidences(), pending_jobs())
Case = tuple[RecoveryPolicy, Evidence, list[PendingJob]]


def judged(case: Case) -> tuple[Verdict, list[tuple[PendingJob, Fate]]]:
    policy, evidence, jobs = case
    verdict = policy.judge(evidence, jobs)
    return verdict, list(zip(jobs, verdict.fates, strict=True))


def behind(jobs: Sequence[PendingJob], index: int) -> list[int]:
    return [later for later in range(index + 1, len(jobs)) if jobs[later].context == jobs[index].context]


@given(verdicts)
def test_no_innocent_is_guilty_when_the_culprit_is_known(case: Case) -> None:
    _, evidence, jobs = case
    verdict, _ = judged(case)
    if evidence.vms or evidence.contexts:
        guilty_vms = evidence.vms | {each.vm for each in jobs if each.context in evidence.contexts}
        assert {vm for vm, health in verdict.vms.items() if health is Health.GUILTY} <= guilty_vms
        assert {context for context, health in verdict.contexts.items() if health is Health.GUILTY} <= evidence.contexts


@given(verdicts)
def test_the_kernel_is_never_guilty(case: Case) -> None:
    verdict, fates = judged(case)
    assert "kernel" not in verdict.vms
    assert verdict.contexts.get(4) is not Health.GUILTY
    assert not any(fate.blamed for pending, fate in fates if pending.kernel)


@given(verdicts)
def test_a_job_that_is_not_idempotent_never_runs_again(case: Case) -> None:
    assert all(
        pending.idempotent or pending.kernel for pending, fate in judged(case)[1] if fate.action is Action.REQUEUE
    )


@given(verdicts)
def test_a_job_runs_again_so_many_times_only_and_before_all_behind_it(case: Case) -> None:
    policy, _, jobs = case
    for index, (pending, fate) in enumerate(judged(case)[1]):
        if fate.action is Action.REQUEUE:
            assert pending.requeues < policy.requeue_limit
            assert not any(jobs[later].started for later in behind(jobs, index))


@given(verdicts)
def test_nothing_behind_a_killed_job_runs(case: Case) -> None:
    verdict, fates = judged(case)
    for index, (_, fate) in enumerate(fates):
        if fate.action is Action.KILL:
            assert all(verdict.fates[later].action is Action.KILL for later in behind(case[2], index))


@given(verdicts)
def test_who_loses_a_job_is_banned(case: Case) -> None:
    verdict, fates = judged(case)
    for pending, fate in fates:
        if fate.action is Action.KILL and verdict.reset is not Reset.WEDGE:
            assert pending.context in verdict.contexts or pending.vm in verdict.vms


@given(verdicts)
def test_a_complete_job_is_left_and_one_that_is_cut_off_is_not(case: Case) -> None:
    verdict, fates = judged(case)
    for pending, fate in fates:
        if pending.complete:
            assert fate == LEAVE
        elif pending.interrupted or (pending.started and verdict.reset is Reset.FULL):
            assert fate.action is not Action.LEAVE


@given(verdicts)
def test_only_what_is_killed_has_an_error(case: Case) -> None:
    assert all((fate.error < 0) == (fate.action is Action.KILL) for _, fate in judged(case)[1])


@given(verdicts)
def test_whoever_hangs_does_not_go_on(case: Case) -> None:
    _, evidence, jobs = case
    _, fates = judged(case)
    for context in evidence.contexts:
        oldest = next((i for i, each in enumerate(jobs) if each.context == context and not each.complete), None)
        if oldest is not None:
            assert fates[oldest][1].action is not Action.LEAVE
