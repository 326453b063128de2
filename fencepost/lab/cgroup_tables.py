"""Control groups in a scenario file: a table of `[cgroup]` is a group, its table `drm` holds what is in its files.

[cgroup.browser]
drm.weight = 200

[[at]]
s = 2.0
write = "browser/drm.weight=1000"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from fencepost.errors import BadInput
from fencepost.lab.cgroups import CgroupSetup, Move, Write
from fencepost.lab.toml_file import TomlFile, found
from fencepost.lab.toml_lines import KeyPath
from fencepost.lab.wsim.refusal import quoted

__all__ = ["change_in", "groups_in"]

FILES: Final = "drm"
MAX_DEPTH: Final = 32


def groups_in(file: TomlFile) -> tuple[CgroupSetup, ...]:
    """Return the groups in a file, parents first.

    Raises:
        BadInput: for what is no table where a group must be one, and values that no control file takes.
    """
    tables = file.parsed.get("cgroup", {})
    if FILES in tables:
        raise BadInput(
            file.where(("cgroup", FILES)), "control files of the root", "a group: the root has none to write"
        )
    return tuple(_groups(file, ("cgroup",), tables))


def change_in(file: TomlFile, index: int, write: str | None, move: str | None) -> Write | Move:
    """Return what the table `[[at]]` of this number says.

    Raises:
        BadInput: unless it says one of the two, in their forms.
    """
    if write is not None and move is not None:
        raise BadInput(file.where(("at", index, "move")), "a move beside a write", "one of the two")
    if move is not None:
        where = file.where(("at", index, "move"))
        client, arrow, group = move.rpartition("->")
        if not arrow:
            raise BadInput(where, quoted(move), "CLIENT -> GROUP")
        return Move(where, client.strip(), group.strip())
    if write is None:
        raise BadInput(file.where(("at", index)), "no change", "a field write or move")
    where = file.where(("at", index, "write"))
    path, equals, text = write.partition("=")
    group, slash, name = path.strip().rpartition("/")
    if not equals or not slash:
        raise BadInput(where, quoted(write), "GROUP/FILE=TEXT, such as browser/drm.weight=200")
    return Write(where, group, name, text.strip())


def _groups(file: TomlFile, above: KeyPath, tables: Mapping[str, Any]) -> Iterator[CgroupSetup]:
    for name, value in tables.items():
        if name != FILES:
            place = (*above, name)
            _check_name(file, place, name)
            table = _table(file, place, value, f"a table: a group. Control files are in {FILES}")
            expected = "a table of control files, such as drm.weight = 200"
            files = _table(file, (*place, FILES), table.get(FILES, {}), expected)
            path = "/".join(map(str, place[1:]))
            yield CgroupSetup(file.where(place), path, tuple(_writes(file, place, path, files)))
            yield from _groups(file, place, table)


def _check_name(file: TomlFile, place: KeyPath, name: str) -> None:
    if "/" in name or not name.isprintable():
        raise BadInput(file.where(place), quoted(name), "a name that can be printed, without a slash")
    if len(place) > MAX_DEPTH:
        raise BadInput(file.where(place[:1]), "groups in groups without end", f"at most {MAX_DEPTH - 1} levels")


def _table(file: TomlFile, place: KeyPath, value: object, expected: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(file.where(place), found(value), expected)
    return cast("Mapping[str, Any]", value)


def _writes(file: TomlFile, place: KeyPath, path: str, files: Mapping[str, object]) -> Iterator[Write]:
    for name, value in files.items():
        where = file.where((*place, FILES, name))
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise BadInput(where, found(value), "a whole number or a text")
        yield Write(where, path, f"{FILES}.{name}", str(value))
