"""What the tests of long-running work share: queues that obey or do not, and an address space of one or two buffers."""

from __future__ import annotations

from fencepost import Runtime
from fencepost.fences import Fence, PreemptState, Reservation, Usage, get_stub
from fencepost.hw.long_running import ComputeVm, Member, PreemptWork
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Vm

__all__ = ["FakeQueue", "Space", "wait_for"]


class FakeQueue:
    """Does what it is told, at once unless it is stubborn; keeps what it was told, and what it saw at each resume."""

    def __init__(self, name: str = "queue", *, stubborn: bool = False) -> None:
        self.name = name
        self.stubborn = stubborn
        self.told: list[str] = []
        self.off: list[Fence] = []
        self.killed = False
        self.space: Space | None = None

    @property
    def runs(self) -> bool:
        return self.told.count("suspend") == self.told.count("resume") and not self.killed

    def suspend(self) -> Fence:
        self.told.append("suspend")
        off = Fence(name=f"{self.name} off") if self.stubborn else get_stub()
        self.off.append(off)
        return off

    def resume(self) -> None:
        if self.space is not None:
            self.space.check_resume()
        self.told.append("resume")

    def kill(self) -> None:
        self.killed = True


class Space:
    """An address space of so many buffers, each of one page, and the queues in it.

    Attributes:
        checks: how many resumes were checked.
    """

    def __init__(
        self,
        rt: Runtime,
        *,
        pages: int = 1,
        memory: MemoryManager | None = None,
        work: PreemptWork | None = None,
        back_off_s: float = 0.0,
        ack_timeout_s: float = 5.0,
    ) -> None:
        self.rt = rt
        self.memory = memory or MemoryManager(8 * PAGE_BYTES, 8 * PAGE_BYTES)
        self.vm = Vm(self.memory, "vm", long_running=True)
        self.buffers: list[BufferObject] = []
        for number in range(pages):
            buffer = self.memory.create(PAGE_BYTES, f"X{number}")
            self.vm.bind(buffer, number * PAGE_BYTES, populate=False)
            self.buffers.append(buffer)
        self.work = work or rt.start(PreemptWork, ack_timeout_s, name="W")
        self.compute = ComputeVm(rt, self.vm, self.work, back_off_s=back_off_s)
        self.members: list[Member] = []
        self.checks = 0

    def join(self, queue: FakeQueue) -> Member:
        queue.space = self
        member = self.compute.join(queue)
        self.members.append(member)
        return member

    def check_resume(self) -> None:
        """I24: by now the next fence of each queue is armed and found everywhere, and all memory is there."""
        self.checks += 1
        for member in self.members:
            fence = member.preemption.fence
            if fence.signaled:
                # Somebody waited as soon as it was published: then the queue is held once more. Or it is the end.
                queue = member.queue
                assert isinstance(queue, FakeQueue)
                held_again = queue.told.count("suspend") - queue.told.count("resume") > 1
                assert held_again or member.preemption.state is PreemptState.LOST, f"{member!r} runs without a fence"
                continue
            for reservation in self.reservations():
                assert fence in reservation.get_fences(Usage.BOOKKEEP), f"nobody finds {fence!r} in {reservation!r}"
        for buffer in self.buffers:
            assert buffer.placement is not None

    def reservations(self) -> list[Reservation]:
        # Not those of the page tables, whose lock is held here.
        return [self.vm.reservation, *(buffer.reservation for buffer in self.buffers)]

    def evict(self, number: int = 0) -> None:
        with self.buffers[number].reservation:
            self.memory.evict(self.buffers[number])


def wait_for(rt: Runtime, queue: FakeQueue, *, resumes: int = 1) -> None:
    """Wait until a queue was resumed so often."""
    while queue.told.count("resume") < resumes:
        rt.world.sleep(0.0001)
