from __future__ import annotations

from pathlib import Path

import pytest

from fencepost.actors.cgroups import CONTROLLERS
from fencepost.errors import BadInput
from fencepost.lab.cgroups import CgroupSetup, ChangeSetup, Move, Write
from fencepost.lab.scenario_file import load_scenario

DOCS = Path(__file__).parents[2] / "docs" / "control-groups.md"

CLIENT = '[[client]]\nname = "game"\nsteps = "d.1"\n'

WHOLE = f"""controller = "v8"
driver = "xe"
duration_s = 9
{CLIENT}cgroup = "A/B"

[cgroup.browser]
drm.weight = 200

[cgroup.A.B]
drm.max = "50000 100000"
drm.priority = -5

[[at]]
s = 2.5
write = " browser/drm.weight = 1000 "

[[at]]
s = 1
move = "game->browser"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "a.toml"
    path.write_text(text, "utf-8")
    return path


def test_groups_and_changes_reach_the_setup(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    setup = load_scenario(path).setup()
    assert (setup.controller, setup.driver, setup.clients[0].cgroup) == ("v8", "xe", "A/B")
    max_, priority = (
        Write(f"{path}:13: cgroup, A, B, drm, max", "A/B", "drm.max", "50000 100000"),
        Write(f"{path}:14: cgroup, A, B, drm, priority", "A/B", "drm.priority", "-5"),
    )
    assert setup.cgroups == (
        CgroupSetup(
            f"{path}:9: cgroup, browser",
            "browser",
            (Write(f"{path}:10: cgroup, browser, drm, weight", "browser", "drm.weight", "200"),),
        ),
        CgroupSetup(f"{path}:12: cgroup, A", "A"),
        CgroupSetup(f"{path}:12: cgroup, A, B", "A/B", (max_, priority)),
    )
    assert setup.changes == (
        ChangeSetup(2.5, Write(f"{path}:18: at 1, write", "browser", "drm.weight", "1000")),
        ChangeSetup(1.0, Move(f"{path}:22: at 2, move", "game", "browser")),
    )


def test_a_scenario_has_no_groups_unless_it_says_so(tmp_path: Path) -> None:
    setup = load_scenario(written(tmp_path, CLIENT)).setup()
    assert (setup.controller, setup.cgroups, setup.changes, setup.grouped) == ("none", (), (), False)


GROUP = "[cgroup.A]\n"
AT = "[[at]]\ns = 1\n"

REFUSED = {
    "unknown controller": (
        "controller = 'best'\n" + CLIENT,
        f'a.toml:1: controller: found "best", expected one of {", ".join(CONTROLLERS)}',
    ),
    "unknown driver": (
        "driver = 'nouveau'\n" + CLIENT,
        'a.toml:1: driver: found "nouveau", expected one of i915, amdgpu, xe',
    ),
    "controller that the policy forbids": (
        "controller = 'hweight'\npolicy = 'rr'\n" + CLIENT,
        'a.toml:2: policy: found "rr", expected fair, which the controller hweight changes',
    ),
    "client in an unknown group": (
        CLIENT + "cgroup = 'B'\n" + GROUP,
        'a.toml:1: client 1, cgroup: found group "B", expected one of A',
    ),
    "client in a group, and there are none": (
        CLIENT + "cgroup = 'A'\n",
        'a.toml:1: client 1, cgroup: found group "A", expected a group made by a table',
    ),
    "client beside groups": (
        CLIENT + "cgroup = 'A'\n[cgroup.A.B]\n",
        (
            "a.toml:1: client 1, cgroup: found /A (EBUSY: /A: controls the groups in it, so processes belong into "
            "these, not beside them), expected a group without groups in it"
        ),
    ),
    "group named twice": (
        CLIENT + GROUP + GROUP,
        "a.toml:5: found \"[cgroup.A]\" (Cannot declare ('cgroup', 'A') twice), expected TOML",
    ),
    "group of a name that no group can have": (
        CLIENT + "[cgroup.A.'b/c']\n",
        'a.toml:4: cgroup, A, b/c: found "b/c", expected a name that can be printed, without a slash',
    ),
    "group of the name of a file": (
        CLIENT + "[cgroup.A.'drm.max']\n",
        (
            "a.toml:4: cgroup, A, drm.max: found \"drm.max\" (EEXIST: /A: has 'drm.max' already), "
            "expected a name for a group"
        ),
    ),
    "group that does not print": (
        CLIENT + '[cgroup.A."b\\u001b"]\n',
        'a.toml:4: cgroup, A, "b\\u001b": found "b\\u001b", expected a name that can be printed, without a slash',
    ),
    "groups without end": (
        CLIENT + f"[cgroup.{'.'.join('A' * 32)}]\n",
        "a.toml:4: cgroup: found groups in groups without end, expected at most 31 levels",
    ),
    "no group": (
        CLIENT + GROUP + "weight = 3\n",
        "a.toml:5: cgroup, A, weight: found 3, expected a table: a group. Control files are in drm",
    ),
    "no groups": ("cgroup = 3\n" + CLIENT, "a.toml:1: cgroup: found 3, expected tables [cgroup.NAME]"),
    "no files": (
        CLIENT + GROUP + "drm = 3\n",
        "a.toml:5: cgroup, A, drm: found 3, expected a table of control files, such as drm.weight = 200",
    ),
    "files of the root": (
        CLIENT + "[cgroup]\ndrm.weight = 3\n",
        "a.toml:5: cgroup, drm: found control files of the root, expected a group: the root has none to write",
    ),
    "unknown file": (
        CLIENT + GROUP + "drm.weigth = 3\n",
        (
            'a.toml:5: cgroup, A, drm, weigth: found file "drm.weigth", expected one of drm.budget_supported, '
            "drm.effective_priority, drm.max, drm.period_us, drm.priority, drm.priority_levels, drm.stat, drm.weight"
        ),
    ),
    "value of a wrong kind": (
        CLIENT + GROUP + "drm.weight = 1.5\n",
        "a.toml:5: cgroup, A, drm, weight: found 1.5, expected a whole number or a text",
    ),
    "truth": (
        CLIENT + GROUP + "drm.weight = true\n",
        "a.toml:5: cgroup, A, drm, weight: found true, expected a whole number or a text",
    ),
    "value that the file refuses": (
        CLIENT + GROUP + "drm.weight = 0\n",
        'a.toml:5: cgroup, A, drm, weight: found "0" (ERANGE), expected 1 to 10000',
    ),
    "text that the file refuses": (
        CLIENT + GROUP + "drm.max = 'much'\n",
        'a.toml:5: cgroup, A, drm, max: found "much" (EINVAL), expected 1000 to 1000000 us',
    ),
    "period below the first level": (
        CLIENT + "[cgroup.A.B]\ndrm.period_us = 500000\n",
        (
            'a.toml:5: cgroup, A, B, drm, period_us: found "500000" (EINVAL), expected a child of the root: '
            "a scan takes in all that is below it"
        ),
    ),
    "file that cannot be written": (
        CLIENT + GROUP + "drm.stat = 0\n",
        'a.toml:5: cgroup, A, drm, stat: found "0" (EINVAL), expected nothing: it cannot be written',
    ),
    "unknown card": (
        CLIENT + GROUP + "drm.weight = 'card7 3'\n",
        'a.toml:5: cgroup, A, drm, weight: found "card7 3" (ENODEV), expected one of card0',
    ),
    "change of nothing": (CLIENT + AT, "a.toml:4: at 1: found no change, expected a field write or move"),
    "change at no time": (CLIENT + "[[at]]\n", "a.toml:4: at 1, s: found nothing, expected seconds, from 0 to 86400"),
    "two changes": (
        CLIENT + AT + "write = 'A/drm.max=max'\nmove = 'game -> /'\n",
        "a.toml:7: at 1, move: found a move beside a write, expected one of the two",
    ),
    "write without a text": (
        CLIENT + AT + "write = 'A/drm.max'\n",
        'a.toml:6: at 1, write: found "A/drm.max", expected GROUP/FILE=TEXT, such as browser/drm.weight=200',
    ),
    "write to an unknown group": (
        CLIENT + GROUP + AT + "write = 'B/drm.weight=3'\n",
        'a.toml:7: at 1, write: found group "B", expected one of A',
    ),
    "write to an unknown file": (
        CLIENT + GROUP + AT + "write = 'A/drm.colour=3'\n",
        (
            'a.toml:7: at 1, write: found file "drm.colour", expected one of drm.budget_supported, '
            "drm.effective_priority, drm.max, drm.period_us, drm.priority, drm.priority_levels, drm.stat, drm.weight"
        ),
    ),
    "write to a file that the root has not": (
        CLIENT + GROUP + AT + "write = '/drm.weight=3'\n",
        "a.toml:7: at 1, write: found \"3\" (ENOENT: /: has no file 'drm.weight'), expected a file that the group has",
    ),
    "write that the file refuses": (
        CLIENT + GROUP + AT + "write = 'A/drm.weight=10001'\n",
        'a.toml:7: at 1, write: found "10001" (ERANGE), expected 1 to 10000',
    ),
    "write after the end": (
        "duration_s = 1\n" + CLIENT + GROUP + AT + "write = 'A/drm.weight=3'\n",
        "a.toml:7: at 1, s: found 1.0 s, expected a time before the end, at 1.0 s",
    ),
    "move without an arrow": (
        CLIENT + AT + "move = 'game to A'\n",
        'a.toml:6: at 1, move: found "game to A", expected CLIENT -> GROUP',
    ),
    "move of an unknown client": (
        CLIENT + GROUP + AT + "move = 'gone -> A'\n",
        'a.toml:7: at 1, move: found client "gone", expected one of game',
    ),
    "move to an unknown group": (
        CLIENT + GROUP + AT + "move = 'game -> B'\n",
        'a.toml:7: at 1, move: found group "B", expected one of A',
    ),
    "move beside groups": (
        CLIENT + "[cgroup.A.B]\n" + AT + "move = 'game -> A'\n",
        (
            "a.toml:7: at 1, move: found /A (EBUSY: /A: controls the groups in it, so processes belong into these, "
            "not beside them), expected a group without groups in it"
        ),
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_scenario(written(tmp_path, text)).setup()
    assert str(refused.value) == f"{tmp_path}/{message}"


def test_many_groups_are_not_all_named(tmp_path: Path) -> None:
    text = CLIENT + "cgroup = 'x'\n" + "".join(f"[cgroup.g{number}]\n" for number in range(1000))
    with pytest.raises(BadInput, match=r"expected one of g0, .*g11, \.\.\.$"):
        load_scenario(written(tmp_path, text)).setup()


@pytest.mark.skipif(not DOCS.exists(), reason="the docs are not among the installed files")
def test_the_example_of_the_docs_is_a_scenario(tmp_path: Path) -> None:
    path = written(tmp_path, DOCS.read_text("utf-8").split("```toml\n")[1].split("```")[0])
    for name in ("game.wsim", "hog.wsim"):
        (tmp_path / name).write_text("1.RCS.500.0.1\n")
    setup = load_scenario(path).setup()
    assert [group.path for group in setup.cgroups] == ["browser", "A", "A/B"]
    assert [client.cgroup for client in setup.clients] == ["browser", "A/B"]
    assert [str(each.change) for each in setup.changes] == ["browser/drm.weight=1000", "hog -> browser"]
