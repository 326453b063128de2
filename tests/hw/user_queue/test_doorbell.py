from __future__ import annotations

import errno

import pytest

from fencepost.errors import BadInput
from fencepost.hw.user_queue import DOORBELL_SIZE, DOORBELLS, PAGE_SIZE, Misfortune
from fencepost.hw.user_queue.doorbell import Doorbell, DoorbellPage
from tests.hw.user_queue.kit import refused


def test_rings_before_the_answer_are_one() -> None:
    heard: list[None] = []
    doorbell = Doorbell(lambda: heard.append(None))
    doorbell.ring()
    doorbell.ring()
    assert len(heard) == 1
    doorbell.answer()
    doorbell.ring()
    assert len(heard) == 2


def test_a_page_has_512_doorbells_of_8_bytes() -> None:
    page = DoorbellPage("game")
    assert [page.take() for _ in range(DOORBELLS)] == list(range(0, PAGE_SIZE, DOORBELL_SIZE))
    assert (DOORBELLS, DOORBELL_SIZE) == (512, 8)
    refused(errno.ENOSPC, "the doorbell page of game is full: 512 queues", page.take)
    page.give_back(64)
    assert page.take() == 64


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"lose": 1.5}, "lose: found 1.5"),
        ({"delay": -0.1}, "delay: found -0.1"),
        ({"delay_us": -1}, "delay_us: found -1"),
    ],
)
def test_a_misfortune_that_cannot_be_is_refused(said: dict[str, float], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        Misfortune(**said)  # type: ignore[arg-type]
