"""The kernel's policy cases: KUnit prints their figures, here they have an expectation, in virtual time."""

from __future__ import annotations

import pytest

from bench.clients import MANY_CLIENTS, TWO_CLIENTS, Case, run_case

CREDITS = pytest.mark.parametrize("credit_limit", [1, 2])
POLICIES = pytest.mark.parametrize("policy", ["rr", "fifo", "fair"])


def by_name(case: Case) -> str:
    return case.name


@CREDITS
@pytest.mark.parametrize("case", [case for case in TWO_CLIENTS if case.shares], ids=by_name)
def test_fair_gives_each_priority_its_share(case: Case, credit_limit: int) -> None:
    assert case.shares is not None
    outcome = run_case(case, "fair", credit_limit)
    for client, share in zip(outcome.clients, case.shares, strict=True):
        assert client.share == pytest.approx(share, abs=0.03)


@CREDITS
@pytest.mark.parametrize("policy", ["rr", "fifo"])
@pytest.mark.parametrize("case", TWO_CLIENTS[1:4], ids=by_name)
def test_the_older_policies_starve_whoever_is_less_important(case: Case, policy: str, credit_limit: int) -> None:
    assert [client.share for client in run_case(case, policy, credit_limit).clients] == [1.0, 0.0]


@CREDITS
@POLICIES
@pytest.mark.parametrize("case", TWO_CLIENTS, ids=by_name)
def test_no_gpu_time_is_lost_while_there_is_work(case: Case, policy: str, credit_limit: int) -> None:
    """Asynchronous clients without a pause keep the engine busy from the first job to the last."""
    outcome = run_case(case, policy, credit_limit)
    work_us = sum(client.cycles(case.duration_us) * client.work_us for client in case.clients)
    end_us = max(client.elapsed_us for client in outcome.clients)
    if all(not client.sync and not client.wait_us for client in case.clients):
        assert end_us == work_us
    else:
        assert end_us >= work_us / len(case.clients)


@CREDITS
def test_an_interactive_client_waits_for_about_one_job_of_a_hog(credit_limit: int) -> None:
    (case,) = (case for case in TWO_CLIENTS if case.name == "low hog and interactive")
    interactive = run_case(case, "fair", credit_limit).clients[1]
    assert max(interactive.latencies_us) <= credit_limit * case.clients[0].job_us


@POLICIES
@pytest.mark.parametrize("case", MANY_CLIENTS, ids=by_name)
def test_clients_alike_go_on_side_by_side(case: Case, policy: str) -> None:
    assert run_case(case, policy, 2).cycle_spread <= 1
