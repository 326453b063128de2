from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fencepost.lab.wsim import (
    Batch,
    Bond,
    ContextPriority,
    Delay,
    Duration,
    Engine,
    EngineClass,
    EngineMap,
    LoadBalance,
    ObjectSize,
    Period,
    Preemption,
    QueueThrottle,
    SignalFence,
    SliceMask,
    SoftwareFence,
    Step,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
    parse_text,
)

RCS = Engine(EngineClass.RCS)
VCS1 = Engine(EngineClass.VCS, 1)
VCS2 = Engine(EngineClass.VCS, 2)
INT = 2147483647


@pytest.mark.parametrize(
    ("before", "text", "step"),
    [
        pytest.param("", "3.RCS.500.0.0", Batch(3, RCS, Duration(500, 500)), id="batch"),
        pytest.param("", "0.RCS.500.0.1", Batch(0, RCS, Duration(500, 500), wait=True), id="batch with a wait"),
        pytest.param("", "d.1", Delay(1), id="delay"),
        pytest.param("", "p.16667", Period(16667), id="period"),
        pytest.param("1.RCS.5.0.0,d.1", "s.-2", Sync(0), id="sync"),
        pytest.param("", "t.0", Throttle(0), id="no throttle"),
        pytest.param("", "t.5", Throttle(5), id="throttle"),
        pytest.param("", "q.0", QueueThrottle(0), id="no queue throttle"),
        pytest.param("", "q.4", QueueThrottle(4), id="queue throttle"),
        pytest.param("", "f", SoftwareFence(), id="software fence"),
        pytest.param("f", "a.-1", SignalFence(0), id="signal"),
        pytest.param("1.RCS.*.0.0", "T.-1", Terminate(0), id="terminate"),
        pytest.param("", "P.2.-1023", ContextPriority(2, -1023), id="priority"),
        pytest.param("", "X.2.0", Preemption(2, 0), id="no preemption"),
        pytest.param("", "X.2.500", Preemption(2, 500), id="preemption"),
        pytest.param("", "M.1.VCS1", EngineMap(1, (VCS1,)), id="map of one engine"),
        pytest.param("", "M.1.VCS1|vcs2", EngineMap(1, (VCS1, VCS2)), id="map of two engines"),
        pytest.param("M.1.RCS", "B.1", LoadBalance(1), id="load balance"),
        pytest.param("M.2.VCS2,B.2", "b.2.VCS2.VCS1", Bond(2, (VCS2,), VCS1), id="bond"),
        pytest.param("", "S.1.-1", SliceMask(1, -1), id="all slices"),
        pytest.param("", "S.1.3", SliceMask(1, 3), id="some slices"),
        pytest.param("", "w.0.4096", WorkingSet(0, (ObjectSize(1, 4096, 4096),)), id="working set"),
        pytest.param("", "W.2.4096", WorkingSet(2, (ObjectSize(1, 4096, 4096),), shared=True), id="shared working set"),
        pytest.param("", ".d...1.", Delay(1), id="empty fields are passed over"),
    ],
)
def test_each_step_kind_is_read(before: str, text: str, step: Step) -> None:
    steps = parse_text(f"{before},{text}", name="game", where="-w").steps
    assert replace(steps[-1], line=0, text="") == step
    assert steps[-1].text == text


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        pytest.param(
            "z.1",
            'step kind "z"',
            "a batch (CTX.ENGINE.DURATION.DEPS.WAIT) or one of d p s t q f a T P X M B b S w W",
            id="no such letter",
        ),
        pytest.param(
            "...",
            'step kind ""',
            "a batch (CTX.ENGINE.DURATION.DEPS.WAIT) or one of d p s t q f a T P X M B b S w W",
            id="nothing but dots",
        ),
        pytest.param("1.RCS.5.0", "field count 4", "5: CTX.ENGINE.DURATION.DEPS.WAIT", id="batch without a wait"),
        pytest.param("1.RCS.5.0.0.0", "field count 6", "5: CTX.ENGINE.DURATION.DEPS.WAIT", id="batch of six fields"),
        pytest.param("d", "field count 1", "2: d.US", id="delay without time"),
        pytest.param("d.1.2", "field count 3", "2: d.US", id="delay with two times"),
        pytest.param("f.1", "field count 2", "1: f", id="fence with a number"),
        pytest.param("b.1.VCS", "field count 3", "4: b.CTX.ENGINE|ENGINE.MASTER", id="bond without a master"),
        pytest.param("-1.RCS.5.0.0", 'context "-1"', f"a whole number from 0 to {INT}", id="batch of context -1"),
        pytest.param("1x.RCS.5.0.0", 'context "1x"', f"a whole number from 0 to {INT}", id="context with a letter"),
        pytest.param("1.RCS.5.0.2", 'wait "2"', "0 or 1", id="wait of 2"),
        pytest.param("1.RCS.5.0.01", 'wait "01"', "0 or 1", id="wait of 01"),
        pytest.param("1.RCS.5.0.0 # note", 'wait "0 # note"', "0 or 1", id="comment behind a step"),
        pytest.param("P.0.1", 'context "0"', f"a whole number from 1 to {INT}", id="priority of context 0"),
        pytest.param("S.0.1", 'context "0"', f"a whole number from 1 to {INT}", id="slices of context 0"),
        pytest.param("X.0.1", 'context "0"', f"a whole number from 1 to {INT}", id="preemption of context 0"),
        pytest.param("M.0.VCS", 'context "0"', f"a whole number from 1 to {INT}", id="map of context 0"),
        pytest.param("B.0", 'context "0"', f"a whole number from 1 to {INT}", id="load balance of context 0"),
        pytest.param("b.0.VCS.VCS", 'context "0"', f"a whole number from 1 to {INT}", id="bond of context 0"),
        pytest.param("d.0", 'delay "0"', "a whole number from 1 to 86400000000", id="delay of 0"),
        pytest.param("d.1e3", 'delay "1e3"', "a whole number from 1 to 86400000000", id="delay in letters"),
        pytest.param(
            "d.\u0663", r'delay "\u0663"', "a whole number from 1 to 86400000000", id="digit of another script"
        ),
        pytest.param("p.0", 'period "0"', "a whole number from 1 to 86400000000", id="period of 0"),
        pytest.param(
            "p.86400000001", 'period "86400000001"', "a whole number from 1 to 86400000000", id="period above a day"
        ),
        pytest.param("t.-1", 'throttle "-1"', f"a whole number from 0 to {INT}", id="throttle below 0"),
        pytest.param("q.-1", 'queue throttle "-1"', f"a whole number from 0 to {INT}", id="queue throttle below 0"),
        pytest.param("q.2147483648", 'queue throttle "2147483648"', f"a whole number from 0 to {INT}", id="above int"),
        pytest.param("P.1.1024", 'priority "1024"', "a whole number from -1023 to 1023", id="priority too high"),
        pytest.param("X.1.-1", 'preemption "-1"', "a whole number from 0 to 86400000000", id="preemption below 0"),
        pytest.param("S.1.-2", 'slice mask "-2"', f"a whole number from -1 to {INT}", id="slice mask below -1"),
        pytest.param("w.-1.4k", 'working set "-1"', f"a whole number from 0 to {INT}", id="working set -1"),
    ],
)
def test_a_step_that_is_wrong_in_itself_is_refused(
    refusal: Callable[[str], tuple[str, str, str]], text: str, found: str, expected: str
) -> None:
    where, *rest = refusal(text)
    assert where.startswith('game.wsim:1: step 1 "')
    assert rest == [found, expected]


@pytest.mark.parametrize("kind", ["s", "a", "T"])
@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param("0", "a whole number from -2 to -1", id="itself"),
        pytest.param("1", "a whole number from -2 to -1", id="later"),
        pytest.param("-3", "a whole number from -2 to -1", id="before the first"),
        pytest.param("-x", "a whole number from -2 to -1", id="no number"),
    ],
)
def test_an_offset_must_lead_to_an_earlier_step(
    refusal: Callable[[str], tuple[str, str, str]], kind: str, offset: str, expected: str
) -> None:
    where = f'game.wsim:3: step 3 "{kind}.{offset}"'
    assert refusal(f"d.1\nd.1\n{kind}.{offset}\n") == (where, f'offset "{offset}"', expected)


@pytest.mark.parametrize("text", ["s.-1", "a.-1", "T.-1", "1.RCS.5.-1.0", "1.RCS.5.f-1.0", "1.RCS.5.s-1.0"])
def test_the_first_step_has_no_offset(refusal: Callable[[str], tuple[str, str, str]], text: str) -> None:
    expected = "no offset in the first step, nothing stands before it"
    assert refusal(text) == (f'game.wsim:1: step 1 "{text}"', 'offset "-1"', expected)
