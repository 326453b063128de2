"""A driver that let two submitters come between the arm and the push of each other."""

from __future__ import annotations

from fencepost.actors import Entity, Runtime
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Driver:
    """Submits jobs for several clients to one entity. The lock makes one step of arm and push."""

    def __init__(self, entity: Entity) -> None:
        self._lock = current().lock()
        self._entity = entity

    def submit(self) -> None:
        with self._lock:
            self.arm_and_push()

    def arm_and_push(self) -> None:
        job = self._entity.job(duration_us=1)
        job.arm()
        job.push()


class DriverAsItWas(Driver):
    """Takes no lock."""

    def submit(self) -> None:
        self.arm_and_push()


def model(driver_class: type[Driver], runtime: Runtime) -> None:
    """Submit from two clients; that a push comes out of order is refused by the entity."""
    driver = driver_class(runtime.scheduler(MockBackend(), name="ring").entity("shared"))
    runtime.spawn(driver.submit, "other client")
    driver.submit()


BUG = Bug(
    name="arm-and-push-unlocked",
    title="drm/etnaviv: protect sched job submission with fence mutex",
    fix="68ddb6591cfb, 2018",
    symptom="the numbers of the fences are in another order than the jobs",
    interleaving="one client arms its job; the other arms and pushes; the first pushes a job whose number is lower",
    repair="hold one lock from the arm to the push",
    broken=lambda runtime: model(DriverAsItWas, runtime),
    fixed=lambda runtime: model(Driver, runtime),
    finds=frozenset({Kind.EXCEPTION}),
)
