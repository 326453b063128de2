from __future__ import annotations

import signal
import sys

import pytest

from fencepost.lab.process import SWITCH_INTERVAL_S, CtrlC, short_switch_interval


def test_the_first_ctrl_c_asks_the_run_to_end() -> None:
    with CtrlC() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()


def test_the_second_one_does_what_it_always_did() -> None:
    with CtrlC():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_leaving_gives_ctrl_c_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with CtrlC():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_the_switch_interval_is_short_for_a_while() -> None:
    before = sys.getswitchinterval()
    with short_switch_interval():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    assert sys.getswitchinterval() == before
