"""IGT's sw_sync races under search: rows 264 to 266 of spec/dma_fence.md 4.9, with a round or two."""

from __future__ import annotations

from functools import partial

from fencepost.actors import Runtime
from fencepost.fences import SyncFile, Timeline
from fencepost.sync import Mailbox, current
from tests.searching import assert_clean


def wait_at(timeline: Timeline, point: int) -> None:
    assert SyncFile(timeline.fence(point)).wait()


def test_sync_multi_consumer() -> None:
    """Row 264: fences are made while the timeline moves, and each consumer sees the counter at its point."""

    def model(rt: Runtime) -> None:
        timeline, counter = Timeline(), [0]
        done: Mailbox[int] = current().mailbox("done")

        def consume(index: int) -> None:
            for point in (index, 2 + index):
                wait_at(timeline, point)
                assert counter == [point]
                done.put(point)

        consumers = [rt.spawn(partial(consume, index)) for index in range(2)]
        for _ in range(4):
            done.get()
            counter[0] += 1
            timeline.advance()
        for consumer in consumers:
            consumer.join()

    assert_clean(model, schedules=400)


def test_sync_multi_consumer_producer() -> None:
    """Row 265: who was signalled signals the next."""

    def model(rt: Runtime) -> None:
        timeline, counter = Timeline(), [0]

        def work(index: int) -> None:
            for point in (index, 3 + index):
                wait_at(timeline, point)
                assert counter == [point]
                counter[0] += 1
                timeline.advance()

        workers = [rt.spawn(partial(work, index)) for index in range(3)]
        for worker in workers:
            worker.join()
        assert timeline.value == 6

    assert_clean(model, schedules=400)


def test_sync_multi_producer_single_consumer() -> None:
    """Row 266: a file is merged while what it is merged of signals; the close ends those who ask for more."""

    def model(rt: Runtime) -> None:
        producers, consumer, counter = [Timeline("one"), Timeline("two")], Timeline("consumer"), [0, 0]

        def produce(index: int) -> None:
            for turn in range(3):
                try:
                    file = SyncFile(consumer.fence(turn))
                except FileNotFoundError:
                    return
                assert file.wait()
                if file.status < 0:
                    return
                counter[index] += 1
                producers[index].advance()

        tasks = [rt.spawn(partial(produce, index)) for index in range(2)]
        for point in (1, 2):
            files = [SyncFile(timeline.fence(point)) for timeline in producers]
            assert files[0].merge(files[1]).wait()
            assert counter == [point, point]
            if point == 1:
                consumer.advance()
        consumer.close()
        for task in tasks:
            task.join()

    assert_clean(model, schedules=400)
