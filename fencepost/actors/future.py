"""The answer to an `ask`, in any world."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

import pykka

from fencepost.errors import WrongState
from fencepost.sync import Gate

__all__ = ["Future"]

T = TypeVar("T")

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Future(pykka.Future[T]):
    """A pykka future whose waiting goes through `fencepost.sync`.

    Life cycle: *empty* -> *set* (a value or an exception), once; setting it again raises WrongState.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate = Gate("the answer of an actor")
        self._value: Any = None
        self._error: BaseException | None = None

    def name(self, name: str) -> None:
        """Say what reports shall call it."""
        self._gate.name = name

    def get(self, *, timeout: float | None = None) -> Any:  # noqa: ANN401 - as in pykka
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        if not self._gate.wait(timeout):
            raise pykka.Timeout(f"no answer within {timeout} seconds")
        if self._error is not None:
            raise self._error
        return self._value

    def set(self, value: Any = None) -> None:  # noqa: ANN401 - as in pykka
        self._check_empty()
        self._value = value
        self._gate.open()

    def set_exception(self, exc_info: Any = None) -> None:  # noqa: ANN401 - as in pykka
        self._check_empty()
        kind, error, _traceback = exc_info or sys.exc_info()
        assert kind is not None
        # pykka allows a class alone, as `raise` does.
        self._error = kind() if error is None else error
        self._gate.open()

    def _check_empty(self) -> None:
        # An answer comes from one actor, which handles one message at a time: there is no second setter to race with.
        if self._gate.is_open or self._get_hook is not None:
            raise WrongState("the future was set before")
