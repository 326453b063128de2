from __future__ import annotations

from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.events.whole_file import check_path, whole_file


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_bytes(b"old")
    with whole_file(path, "--trace") as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_body_that_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "out.txt", "--trace") as file:
        file.write(b"%d" % (1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_a_directory_is_refused_and_nothing_left(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.mkdir()
    refused = pytest.raises(
        BadInput, match=r"^--plot: found \S+out.txt \(Is a directory\), expected a file that can be "
    )
    with refused, whole_file(path, "--plot"):
        pass
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file or directory"), whole_file(tmp_path / "no" / "out.txt", "--trace"):
        pass


def test_an_ending_is_checked_before_anything_is_done(tmp_path: Path) -> None:
    check_path(tmp_path / "out.txt", (".dat", ".txt"), "--trace")
    with pytest.raises(BadInput, match=r"--trace: found out.svg, expected a file name ending in \.dat or \.txt"):
        check_path("out.svg", (".dat", ".txt"), "--trace")


def test_a_directory_is_checked_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no directory \S+nowhere\), expected a file that can be written"):
        check_path(tmp_path / "nowhere" / "out.txt", (".txt",), "--trace")
