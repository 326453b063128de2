"""Jobs that take and drop and never start are named, in every world; and nobody else is."""

from __future__ import annotations

import pytest

from fencepost.actors import Job, Runtime
from fencepost.actors.resources import Resources, Turn
from fencepost.checks.livelock import Livelocks
from fencepost.checks.resource_deadlock import ResourceDeadlocks
from fencepost.checks.waits import Stall
from fencepost.errors import BadInput
from fencepost.policies.resources import Drop, Pool, Request, Step
from fencepost.sync import Gate, current
from fencepost.zoo.event_ids import Needy
from tests.actors.kit import LIMIT_S, finished


class InStep(Resources):
    """Lets two jobs take steps in turn, each until it has taken something, as long as there are two."""

    def __init__(self, *watches: object) -> None:
        super().__init__("drop", watches=watches)  # type: ignore[arg-type]
        self._turns_to_go = [current().mailbox(f"go {number}") for number in range(2)]
        self._jobs: list[Job] = []
        self._free_run = Gate("everybody as they like")
        self._turns_to_go[0].put("go")

    def _step(self, request: Request[Job]) -> Step | Turn:
        job = request.who
        if self._free_run.is_open:
            return super()._step(request)
        mine = int(job.entity.name)
        self._turns_to_go[mine].get()
        got = super()._step(request)
        self._turns_to_go[1 - mine if got is Step.TOOK else mine].put("go")
        return got

    def let_go(self) -> None:
        """Have nobody wait for the other any more."""
        self._free_run.open()
        for turn in self._turns_to_go:
            turn.put("go")


@pytest.mark.parametrize("world", ["virtual", "native"])
def test_two_jobs_that_drop_their_only_id_for_ever_are_named(world: str) -> None:
    """Held 1 and 1 of 2; the first drops and takes again, then the second, and so on."""
    with Runtime(world=world) as rt:  # type: ignore[arg-type]
        seen: list[Stall] = []
        told = Gate("the report")

        def note(stall: Stall) -> None:
            seen.append(stall)
            told.open()

        watch, deadlocks = Livelocks(on_stall=note), ResourceDeadlocks()
        ids, resources = Pool("event ids", 2), InStep(watch, deadlocks)
        entities = [rt.scheduler(Needy(resources)).entity(str(number)) for number in range(2)]
        jobs = [entity.submit(0, work={ids: 2}) for entity in entities]
        assert told.wait(LIMIT_S)
        assert not any(job.scheduled.signaled for job in jobs)
        resources.let_go()
        entities[0].kill()
        assert finished(jobs)
        assert jobs[1].finished.error == 0
    (stall,) = seen
    assert watch.found == seen
    assert stall.reason == "no job has started in 1000 rounds of taking things and giving them back"
    assert {wait.task for wait in stall.waits} == {"<Job 0:1>", "<Job 1:1>"}
    assert all("event ids, 1 of 2 free" in wait.on for wait in stall.waits)
    assert deadlocks.found == [], "nobody is blocked"


def looked_at(watch: Livelocks, grab: Drop[str], who: str, ids: Pool) -> Stall | None:
    """Let one take a step, and look as one looks when somebody has to wait."""
    step = grab.step(grab.want(who, {ids: 2}))
    grab.told = []
    return watch.judge(grab.account()) if step is Step.SHORT else None


def test_a_start_begins_the_count_anew_and_each_time_it_is_said_once() -> None:
    with Runtime(world="virtual"):
        watch, grab, ids = Livelocks(4), Drop[str](), Pool("ids", 2)
        for who in ("a", "b"):
            grab.step(grab.want(who, {ids: 2}))
        for _ in range(2):
            said = [looked_at(watch, grab, who, ids) for who in ("a", "a", "b", "b") * 3]
            assert [number for number, stall in enumerate(said) if stall] == [6]
            grab.release("b")
            assert grab.step(grab.want("a", {ids: 2})) is Step.COMPLETE
            grab.release("a")
            for who in ("a", "b"):
                grab.step(grab.want(who, {ids: 2}))


def test_fewer_than_one_round_is_refused() -> None:
    with pytest.raises(BadInput, match="rounds: found 0, expected at least 1"):
        Livelocks(0)
