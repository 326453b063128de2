from __future__ import annotations

from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.hw import DEFAULT_ENGINES
from fencepost.lab.scenario_file import load_scenario
from fencepost.policies import Priority

WHOLE = '''
title = "A game and a player"
world = "virtual"
dispatch = "workqueue"
workers = 2
policy = "fifo"
submission = "ring"
credit_limit = 3
seed = 7
duration_s = 1.5
repeats = 9

[engines]
rcs = 1
vcs = 2

[[client]]
name = "game"
workload = "games/game.wsim"
count = 2
priority = "high"
repeats = 3
background = true
start_s = 1

[[client]]
steps = """
1.VCS.500.0.0
p.1000
"""
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / "game.wsim").write_text("1.RCS.500.0.0\n")
    (tmp_path / "bad.wsim").write_text("\nx\n")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "a.toml"
    path.write_text(text, "utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_scenario(path).setup()
    return str(caught.value).replace(f"{path.parent}/", "")


def test_every_field_reaches_the_scenario(folder: Path) -> None:
    scenario = load_scenario(write(folder, WHOLE))
    assert (scenario.title, scenario.world, scenario.dispatch, scenario.workers) == (
        "A game and a player",
        "virtual",
        "workqueue",
        2,
    )
    assert (scenario.policy, scenario.submission, scenario.credit_limit, scenario.seed) == ("fifo", "ring", 3, 7)
    assert (scenario.duration_s, scenario.repeats, scenario.engines) == (1.5, 9, {"rcs": 1, "vcs": 2})
    game, player = scenario.clients
    assert (game.name, game.named, game.workload.name, game.count) == ("game", True, "game", 2)
    assert (game.priority, game.repeats, game.background, game.start_s) == (Priority.HIGH, 3, True, 1.0)
    assert (player.name, player.named, player.count, player.priority) == ("steps", False, 1, Priority.NORMAL)


def test_a_workload_is_all_a_scenario_needs(folder: Path) -> None:
    scenario = load_scenario(write(folder, '[[client]]\nsteps = "d.1"'))
    assert (scenario.title, scenario.engines, scenario.policy) == ("a", DEFAULT_ENGINES, "fair")


def test_steps_in_the_file_count_their_lines_as_the_file_does(folder: Path) -> None:
    player = load_scenario(write(folder, WHOLE)).clients[1]
    written = WHOLE.split("\n")
    assert [written[step.line - 1] for step in player.workload.steps] == ["1.VCS.500.0.0", "p.1000"]


CLIENT = '[[client]]\nsteps = "d.1"\n'


REFUSED = {
    "no TOML": ('title = "A\n', 'a.toml:1: found "title = \\"A" (Illegal character \'\\n\'), expected TOML'),
    "no TOML, at the end": (
        "[[client]\n",
        "a.toml:1: found \"[[client]\" (Expected ']]' at the end of an array declaration), expected TOML",
    ),
    "too deep": ("a = " + "[" * 5000, "a.toml: found brackets in brackets without end, expected TOML of a few levels"),
    "empty": ("", "a.toml:1: client: found nothing, expected at least one table [[client]]"),
    "no client": ("client = []", "a.toml:1: client: found a list, expected at least one table [[client]]"),
    "client, no table": ("client = [1]", "a.toml:1: client 1: found 1, expected a table [[client]]"),
    "misspelt, which is why another is missing": (
        "[[clients]]\n",
        "a.toml:1: clients: found an unknown field, expected client",
    ),
    "misspelt": ("\npolcy = 'rr'\n" + CLIENT, "a.toml:2: polcy: found an unknown field, expected policy"),
    "unknown engine": (
        "[engines]\ngpu = 1\n" + CLIENT,
        "a.toml:2: engines, gpu: found an unknown field, expected one of rcs, bcs, vcs, vecs, ccs",
    ),
    "no engine": ("[engines]\n" + CLIENT, "a.toml:1: engines: found no engine, expected at least one, such as rcs = 1"),
    "no instance": (
        "[engines]\nvcs = 0\n" + CLIENT,
        "a.toml:2: engines, vcs: found 0, expected a whole number from 1 to 64",
    ),
    "a truth for a number": (
        "[engines]\nvcs = true\n" + CLIENT,
        "a.toml:2: engines, vcs: found true, expected a whole number from 1 to 64",
    ),
    "a list for a table": (
        "[[engines]]\nvcs = 1\n" + CLIENT,
        "a.toml:1: engines: found a list, expected a table [engines]",
    ),
    "policy": ("policy = 'fast'\n" + CLIENT, 'a.toml:1: policy: found "fast", expected one of rr, fifo, fair'),
    "world": ("world = 'real'\n" + CLIENT, 'a.toml:1: world: found "real", expected one of native, virtual'),
    "submission": (
        "submission = 'pigeon'\n" + CLIENT,
        'a.toml:1: submission: found "pigeon", expected one of ring, guc, doorbell',
    ),
    "seed": ("seed = 1.5\n" + CLIENT, "a.toml:1: seed: found 1.5, expected a whole number from 0 up"),
    "not a number": (
        "duration_s = nan\n" + CLIENT,
        "a.toml:1: duration_s: found nan, expected seconds, above 0 and up to 86400",
    ),
    "text": (
        "duration_s = 'long'\n" + CLIENT,
        'a.toml:1: duration_s: found "long", expected seconds, above 0 and up to 86400',
    ),
    "escape in a title": (
        'title = "a\\u001bb"\n' + CLIENT,
        'a.toml:1: title: found "a\\u001bb", expected 1 to 60 printable characters',
    ),
    "no clone": (
        CLIENT + "count = 0\n",
        "a.toml:3: client 1, count: found 0, expected a whole number from 1 to 100000",
    ),
    "second client": (
        CLIENT + CLIENT + "start_s = -1\n",
        "a.toml:5: client 2, start_s: found -1, expected seconds, from 0 to 86400",
    ),
    "priority": (
        CLIENT + "priority = 'urgent'\n",
        'a.toml:3: client 1, priority: found "urgent", expected one of kernel, high, normal, low',
    ),
    "the first of two": (
        CLIENT + "start_s = 1979-05-27\nname = 3",
        "a.toml:3: client 1, start_s: found 1979-05-27, expected seconds, from 0 to 86400",
    ),
    "no workload": ("\n[[client]]\n", "a.toml:2: client 1: found no workload, expected a field workload or steps"),
    "both": (
        CLIENT + "workload = 'games/game.wsim'",
        "a.toml:2: client 1, steps: found steps beside a workload, expected one of the two",
    ),
    "no such workload": (
        "[[client]]\nworkload = 'game.wsim'",
        (
            'a.toml:2: client 1, workload: found "game.wsim": no file to read (No such file or directory)'
            ", expected a readable file"
        ),
    ),
    "bad workload": (
        "[[client]]\nworkload = 'bad.wsim'",
        (
            'bad.wsim:2: step 1 "x": found step kind "x"'
            ", expected a batch (CTX.ENGINE.DURATION.DEPS.WAIT) or one of d p s t q f a T P X M B b S w W"
        ),
    ),
    "bad steps": (
        '[[client]]\nsteps = """\nd.1\nd.x\n"""',
        'a.toml:4: step 2 "d.x": found delay "x", expected a whole number from 1 to 86400000000',
    ),
    "one name twice": (
        CLIENT + "name = 'a'\n" + CLIENT + "name = 'a'\n",
        'a.toml:4: client 2, name: found "a", expected a name that no other client has',
    ),
    "no foreground": (
        CLIENT + "background = true\n",
        "a.toml: found no client in the foreground, expected at least one, whose end ends the run",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_in_a_line(folder: Path, text: str, message: str) -> None:
    assert refused(write(folder, text)) == message


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"\xff", "a.toml: found byte 0 that is not UTF-8, expected a text in UTF-8"),
        (b"#" * ((1 << 20) + 1), "a.toml: found more than 1 MiB, expected a scenario of at most 1 MiB"),
    ],
    ids=["no text", "too long"],
)
def test_a_file_that_is_no_text_is_refused(folder: Path, contents: bytes, message: str) -> None:
    path = folder / "a.toml"
    path.write_bytes(contents)
    assert refused(path) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("b.toml", "b.toml: found no file to read (No such file or directory), expected a readable file"),
        ("games", "games: found no file to read (Is a directory), expected a readable file"),
        ("a\0b", "a\0b: found no path (embedded null byte), expected the path of a file"),
    ],
    ids=["missing", "a directory", "no path"],
)
def test_a_file_that_cannot_be_read_is_refused(folder: Path, name: str, message: str) -> None:
    assert refused(folder / name) == message
