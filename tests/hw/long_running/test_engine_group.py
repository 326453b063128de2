from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost import Runtime
from fencepost.checks import Kind, explore
from fencepost.fences import Fence
from fencepost.hw.long_running import EngineGroup, Mode, ResumeWork
from fencepost.sync import Gate
from fencepost.zoo.mode_switched_before_dependencies import EngineGroupAsItWas
from tests.hw.long_running.kit import FakeQueue


class Watched(FakeQueue):
    """Work that can fault, which must never be on the engines while the fence of a job is pending (I26)."""

    def __init__(self, jobs: list[Fence]) -> None:
        super().__init__("L")
        self._jobs = jobs

    def resume(self) -> None:
        super().resume()
        assert not self.runs or all(job.signaled for job in self._jobs)


class Machine:
    def __init__(self, rt: Runtime, group_class: type[EngineGroup] = EngineGroup) -> None:
        self.rt = rt
        self.group = group_class("engines")
        rt.start(ResumeWork, self.group, name="resume work")
        self.jobs: list[Fence] = []
        self.queue = Watched(self.jobs)
        self.in_group = False

    def add(self) -> None:
        self.group.add(self.queue)
        self.in_group = True

    def remove(self) -> None:
        self.in_group = False
        self.group.remove(self.queue)

    def push(self) -> Fence:
        assert not self.in_group or not self.queue.runs, "both kinds are on the engines"
        fence = Fence(name="K")
        self.jobs.append(fence)
        return fence


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Runtime(world="virtual") as rt:
        yield Machine(rt)


def settle(machine: Machine) -> None:
    machine.rt.world.sleep(0.001)


def test_work_that_can_fault_runs_when_there_is_nothing_else(machine: Machine) -> None:
    machine.add()
    assert not machine.queue.runs
    settle(machine)
    assert machine.group.mode is Mode.FAULT
    assert machine.queue.runs


def test_a_job_with_a_fence_has_it_suspended_until_that_signals(machine: Machine) -> None:
    machine.add()
    settle(machine)
    fence = machine.group.submit(machine.push)
    assert machine.group.mode is Mode.DMA_FENCE
    settle(machine)
    assert not machine.queue.runs
    fence.signal()
    settle(machine)
    assert machine.queue.runs
    assert machine.group.switches == 3


def test_what_a_job_comes_after_is_waited_for_first(machine: Machine) -> None:
    """T6-9: it may need the work that would be suspended."""
    machine.add()
    settle(machine)
    progress = Fence(name="D")
    job = machine.rt.spawn(lambda: machine.group.submit(machine.push, [progress]))
    settle(machine)
    assert machine.queue.runs
    assert machine.jobs == []
    progress.signal()
    settle(machine)
    assert job.done
    assert not machine.queue.runs
    machine.jobs[0].signal()


def test_one_that_will_not_leave_is_killed(machine: Machine) -> None:
    machine.add()
    settle(machine)
    machine.queue.stubborn = True

    def die() -> None:
        machine.queue.off[-1].signal()

    machine.queue.kill = die  # type: ignore[method-assign]
    began_ns = machine.rt.world.now_ns()
    machine.group.submit(machine.push).signal()
    assert machine.rt.world.now_ns() - began_ns == 5_000_000_000


def test_one_that_is_gone_is_suspended_no_more(machine: Machine) -> None:
    machine.add()
    settle(machine)
    machine.remove()
    machine.group.submit(machine.push).signal()
    assert machine.queue.runs


def at_once(group_class: type[EngineGroup], rt: Runtime) -> None:
    """Have a program that needs the work go on, and jobs with and without dependencies come, all at once."""
    machine = Machine(rt, group_class)
    queue, group = machine.queue, machine.group
    progress, resumed = Fence(name="D"), Gate("resumed")
    resume = queue.resume

    def told() -> None:
        resume()
        resumed.open()

    queue.resume = told  # type: ignore[method-assign]

    def see() -> None:
        resumed.wait()
        progress.signal()

    def submit(after: list[Fence]) -> None:
        fence = group.submit(machine.push, after)
        for each in after:
            each.wait()
        fence.signal()

    tasks = [rt.spawn(see, "program"), rt.spawn(lambda: submit([progress]), "K1"), rt.spawn(lambda: submit([]), "K2")]
    machine.add()
    for task in tasks:
        task.join()


def test_never_both_kinds_are_on_the_engines_in_any_order() -> None:
    """I26."""
    report = explore(lambda rt: at_once(EngineGroup, rt), schedules=500)
    assert not report.found, str(report)


def test_a_switch_before_the_dependencies_deadlocks() -> None:
    """T6-9 as it was."""
    report = explore(lambda rt: at_once(EngineGroupAsItWas, rt), schedules=500)
    assert report.kind is Kind.DEADLOCK


def test_on_real_threads_modes_take_turns() -> None:
    with Runtime(world="native") as rt:
        machine = Machine(rt)
        machine.add()

        def submit() -> None:
            for _ in range(20):
                machine.group.submit(machine.push).signal()

        clients = [rt.spawn(submit) for _ in range(3)]
        for client in clients:
            assert client.join(30)
            assert client.error is None
        machine.group.resume()
        assert machine.queue.runs
