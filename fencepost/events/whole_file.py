"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fencepost.errors import BadInput

__all__ = ["check_path", "whole_file"]


@contextmanager
def whole_file(path: str | os.PathLike[str], option: str) -> Generator[BinaryIO, None, None]:
    """Give a file beside `path` to write to, which takes its place at the end; when the body raises, nothing is left.

    Args:
        path: what is written, or written anew.
        option: where the person said so, such as `--trace`.

    Raises:
        BadInput: when it cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            try:
                yield file
                file.close()
                part.replace(path)
            except BaseException:
                part.unlink()
                raise
    except OSError as error:
        raise BadInput(option, f"{path} ({error.strerror})", "a file that can be written") from error


def check_path(path: str | os.PathLike[str], suffixes: Sequence[str], option: str) -> None:
    """Refuse a path that has another ending than these, or whose directory does not exist.

    Raises:
        BadInput: then, naming `option`.
    """
    path = Path(path)
    if path.suffix not in suffixes:
        raise BadInput(option, str(path), f"a file name ending in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise BadInput(option, f"{path} (no directory {path.parent})", "a file that can be written")
