"""IGT's sw_sync, rows 251 to 268 of spec/dma_fence.md 4.9: a wait is a poll of a sync file's descriptor."""

from __future__ import annotations

import errno
import itertools
import random
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from fencepost import sync
from fencepost.fences import SyncFile, Timeline
from tests.fences.kit import LONG_S

PRIMES = [n for n in range(2, 100) if all(n % d for d in range(2, n))]
ROUNDS = 60
"""IGT makes 4096: here every hand-over is two thread switches."""
PRODUCERS = 5

pytestmark = pytest.mark.usefixtures("any_world")


def busy(file: SyncFile) -> bool:
    """Poll with a time-out of 0."""
    return not select.select([file], [], [], 0)[0]


def wait(file: SyncFile) -> None:
    """Block until it is readable; in a virtual world, where a poll would block everybody, until it signals."""
    if sync.current().name == "native":
        assert select.select([file], [], [], LONG_S)[0]
    else:
        assert file.wait(LONG_S)


def file_at(timeline: Timeline, point: int) -> SyncFile:
    return SyncFile(timeline.fence(point), f"{timeline.name} {point}")


def active(file: SyncFile) -> int:
    return sum(fence.status == 0 for fence in file.info().fences)


def test_alloc_timeline() -> None:
    """Row 251."""
    assert Timeline().close() == 0


def test_alloc_fence() -> None:
    """Row 252."""
    timeline = Timeline()
    with file_at(timeline, 0) as file:
        assert not busy(file)
    timeline.close()


def test_alloc_fence_invalid_timeline() -> None:
    """Row 253: here what is no timeline is one that was closed."""
    timeline = Timeline("sw")
    timeline.close()
    for call in (partial(timeline.fence, 1), timeline.advance):
        with pytest.raises(OSError, match="sw is closed") as refused:
            call()
        assert refused.value.errno == errno.ENOENT


def test_timeline_closed() -> None:
    """Row 254: closing signals, with an error."""
    timeline = Timeline()
    with file_at(timeline, 1) as file:
        assert busy(file)
        timeline.close()
        assert not busy(file)
        assert file.status == file.info().status == -errno.ENOENT


def test_timeline_closed_signaled() -> None:
    """Row 255."""
    timeline = Timeline()
    with file_at(timeline, 1) as file:
        timeline.advance()
        timeline.close()
        assert not busy(file)
        assert file.status == 1


def test_alloc_merge_fence() -> None:
    """Row 256."""
    one, other = Timeline(), Timeline()
    with file_at(one, 1) as first, file_at(other, 1) as second, first.merge(second, "merged") as merged:
        assert merged.info().num_fences == 2
    assert one.close() == other.close() == 1


def test_sync_busy() -> None:
    """Row 257."""
    timeline = Timeline()
    with file_at(timeline, 5) as file:
        assert busy(file)
        timeline.advance(1)
        assert busy(file)
        timeline.advance(4)
        assert not busy(file)
        timeline.advance(5)
        assert not busy(file)
    for prime in PRIMES:
        with file_at(timeline, timeline.value + prime) as file:
            assert busy(file)
            timeline.advance(prime)
            assert not busy(file)


POLLING = """
import select, sys
def polled(timeout_s):
    return bool(select.select([number], [], [], timeout_s)[0])
print(polled(0), flush=True)
print(polled(20), flush=True)
"""


def polled_by(child: subprocess.Popen[str], timeline: Timeline) -> list[str]:
    """Move the timeline once the child has found nothing; return what it said."""
    assert child.stdout is not None
    said = [child.stdout.readline().strip()]
    timeline.advance()
    return [*said, *child.communicate(timeout=LONG_S)[0].split()]


def start(program: str, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-c", program, str(number)]
    return subprocess.Popen(command, pass_fds=[number], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own


@pytest.mark.parametrize("any_world", ["native"], indirect=True)
def test_sync_busy_fork() -> None:
    """Row 258, turned round: a fence lives in one process, and a child that has its descriptor sees it signal."""
    timeline = Timeline()
    with file_at(timeline, 1) as file, start("import sys; number = int(sys.argv[1])" + POLLING, file.fileno()) as child:
        assert polled_by(child, timeline) == ["False", "True"]


@pytest.mark.parametrize("any_world", ["native"], indirect=True)
def test_sync_busy_fork_unixsocket() -> None:
    """Row 259, turned round: the descriptor goes to the child over a socket."""
    timeline = Timeline()
    receive = "import socket, sys; number, = socket.recv_fds(socket.socket(fileno=int(sys.argv[1])), 1, 1)[1]"
    ours, theirs = socket.socketpair()
    with ours, theirs, start(receive + POLLING, theirs.fileno()) as child, file_at(timeline, 1) as file:
        socket.send_fds(ours, [b"!"], [file.fileno()])
        assert polled_by(child, timeline) == ["False", "True"]


def test_sync_merge_invalid() -> None:
    """Row 260."""
    with file_at(Timeline(), 1) as file:
        for wrong in (-1, Timeline(), sys.stdout):
            with pytest.raises(OSError, match="cannot be merged with") as refused:
                file.merge(wrong)
            assert refused.value.errno == errno.ENOENT


def test_sync_merge() -> None:
    """Row 261: of one timeline only the latest counts."""
    timeline = Timeline()
    files = [file_at(timeline, point) for point in (1, 2, 3)]
    merged = files[0].merge(files[1]).merge(files[2], "merged")
    assert [active(file) for file in (*files, merged)] == [1, 1, 1, 1]
    for point in (1, 2, 3):
        assert busy(merged)
        timeline.advance()
        assert timeline.value == point
    assert not busy(merged)
    merged.close()


def test_sync_merge_same() -> None:
    """Row 262."""
    timeline = Timeline()
    with file_at(timeline, 1) as file, file.merge(file, "same") as merged:
        assert merged.fence is file.fence
        assert busy(merged)
        timeline.advance()
        assert not busy(merged)


def test_sync_multi_timeline_wait() -> None:
    """Row 263: each step takes one from the active ones."""
    timelines = [Timeline() for _ in range(3)]
    one, two, three = (file_at(timeline, 5) for timeline in timelines)
    with one.merge(two).merge(three, "merged") as merged:
        for left, timeline in zip((3, 2, 1), timelines, strict=True):
            assert busy(merged)
            assert active(merged) == left
            timeline.advance(5)
        assert active(merged) == 0
        assert not busy(merged)


def run(world: sync.World, *bodies: Callable[[], object]) -> list[sync.Task]:
    return [world.spawn(body, name=f"task{index}") for index, body in enumerate(bodies)]


def test_sync_multi_consumer(any_world: sync.World) -> None:
    """Row 264: each point is seen by its consumer while the counter stands exactly there."""
    threads, counter, wrong = 4, [0], list[tuple[int, int]]()
    timeline, done = Timeline(), any_world.mailbox()

    def consume(index: int) -> None:
        for turn in range(ROUNDS):
            point = turn * threads + index
            with file_at(timeline, point) as file:
                wait(file)
            if counter[0] != point:
                wrong.append((counter[0], point))
            done.put(point)

    tasks = run(any_world, *(partial(consume, index) for index in range(threads)))
    for _ in range(threads * ROUNDS):
        done.get()
        counter[0] += 1
        timeline.advance()
    assert all(task.join(LONG_S) for task in tasks)
    assert any_world.failures == []
    assert wrong == []
    assert counter == [threads * ROUNDS]


def test_sync_multi_consumer_producer(any_world: sync.World) -> None:
    """Row 265: each hands over to the next."""
    threads, counter, wrong = 4, [0], list[tuple[int, int]]()
    timeline = Timeline()

    def work(index: int) -> None:
        for turn in range(ROUNDS):
            point = turn * threads + index
            with file_at(timeline, point) as file:
                wait(file)
            if counter[0] != point:
                wrong.append((counter[0], point))
            counter[0] += 1
            timeline.advance()

    tasks = run(any_world, *(partial(work, index) for index in range(threads)))
    assert all(task.join(LONG_S) for task in tasks)
    assert any_world.failures == []
    assert wrong == []
    assert counter == [threads * ROUNDS]
    assert timeline.value == threads * ROUNDS


def test_sync_multi_producer_single_consumer(any_world: sync.World) -> None:
    """Row 266: the consumer waits for one merged file a round. One producer asks for the status, the others poll."""
    producers, counter = [Timeline(f"producer{index}") for index in range(PRODUCERS)], [0] * PRODUCERS
    consumer = Timeline("consumer")

    def produce(index: int) -> None:
        for turn in itertools.count():
            try:
                file = file_at(consumer, turn)
            except FileNotFoundError:
                return
            with file:
                while index == 0 and not file.info(0).status:
                    any_world.sleep(0.00002)
                wait(file)
                if file.status < 0:
                    # The consumer has closed its timeline while this one was asking.
                    return
            counter[index] += 1
            producers[index].advance()

    def merged(point: int) -> SyncFile:
        files = [file_at(timeline, point) for timeline in producers]
        result = files[0]
        for file in files[1:]:
            result = result.merge(file)
        return result

    tasks = run(any_world, *(partial(produce, index) for index in range(PRODUCERS)))
    for point in range(1, ROUNDS + 1):
        with merged(point) as file:
            wait(file)
        assert counter == [point] * PRODUCERS
        consumer.advance()
    with merged(ROUNDS + 1) as file:
        wait(file)
    consumer.close()
    assert all(task.join(LONG_S) for task in tasks)
    assert any_world.failures == []
    assert counter == [ROUNDS + 1] * PRODUCERS


def test_sync_expired_merge() -> None:
    """Row 267: what is merged of signalled ones has signalled."""
    timeline = Timeline()
    timeline.advance(100)
    for _ in range(ROUNDS):
        with file_at(timeline, 1) as file, file.merge(file) as merged:
            assert not busy(merged)
            assert merged.wait()
            assert merged.status == 1


def test_sync_random_merge() -> None:
    """Row 268: of each timeline the latest counts."""
    choose = random.Random(268)
    timelines = [Timeline(f"timeline{index}") for index in range(32)]
    latest = dict[Timeline, int]()
    merged = SyncFile(timelines[0].fence(0))
    for _ in range(1024):
        timeline, point = choose.choice(timelines), choose.randrange(1, 1 << 31)
        latest[timeline] = max(point, latest.get(timeline, 0))
        merged = merged.merge(file_at(timeline, point))
    assert merged.info().num_fences == len(latest)
    with merged:
        for timeline, point in latest.items():
            assert busy(merged)
            timeline.advance(point)
        assert not busy(merged)
