"""What was done to one object, by whom, and which calls were under way at the same time.

An operation lasts from its invocation to its response. Both are places in one list, which are handed out under a lock:
so of two operations one came first exactly where its response stands before the other's invocation, in every world.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from fencepost.errors import WrongState
from fencepost.sync import current
from fencepost.sync.native import process_lock

__all__ = ["History", "Operation", "Raised", "SequentialModel", "Why"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")


class Why(str):
    """Why an operation cannot have come out as it did, in words that follow on `cannot come next: `."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """The result of an operation that raised; `kind` is the name of the exception's class."""

    kind: str

    def __str__(self) -> str:
        return self.kind


@dataclass(slots=True, eq=False)
class Operation:
    """One call, or something that happened at one moment.

    Attributes:
        who: the task that did it.
        name, arguments: what it did; the latter hashable, objects as numbers of `History.label`.
        invoked, responded: places in the order of all invocations and responses; `responded` is 0 while it runs.
        result: what it returned, or `Raised`.
    """

    who: str
    name: str
    arguments: tuple[Any, ...]
    invoked: int
    responded: int = 0
    result: Any = None

    def __str__(self) -> str:
        arguments = ", ".join(str(argument) for argument in self.arguments if argument is not None)
        said = f"{self.name}({arguments})" if arguments else self.name
        return said if self.result is None else f"{said} -> {self.result}"


class SequentialModel(Protocol[S]):
    """What an object does when operations come one at a time: a pure object, small enough to be read as a contract."""

    @property
    def initial(self) -> S:
        """The state that the object begins in. States are values: equal where nobody could tell them apart."""
        ...

    def step(self, state: S, operation: Operation) -> S | Why:
        """Return the state after `operation` with the result that it had, or why it cannot have had that result."""
        ...


class History(Generic[S]):
    """The operations on one object, and the model that says what they may come to.

    Any task may record at any time. `_lock` protects everything; a leaf, and nothing is a step while it is held.
    """

    def __init__(self, model: SequentialModel[S]) -> None:
        self.model: Final = model
        self._operations: list[Operation] = []
        self._places = 0
        self._labels: dict[int, tuple[int, object]] = {}
        self._lock = process_lock()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All that was recorded, in the order of the invocations.

        Raises WrongState while a call has not returned: what it comes to is not known.
        """
        with self._lock:
            operations = tuple(self._operations)
        for operation in operations:
            if not operation.responded:
                raise WrongState(f"{operation.who} is still in {operation}: join whoever uses the object, then check")
        return operations

    def call(
        self,
        name: str,
        function: Callable[[], T],
        *arguments: Any,  # noqa: ANN401 - any hashable
        said: Callable[[T], Any] | None = None,
        returns: bool = False,
    ) -> T:
        """Call `function` and record it as an operation.

        Args:
            name, arguments: of the operation.
            function: does it; what it raises goes on to the caller.
            said: makes the result of what was returned; None takes that itself.
            returns: whether the end is an operation of its own, `NAME returns`, with the invocation as its argument.
        """
        operation = self._begin(name, arguments)
        result: Any = None
        try:
            value = function()
            result = value if said is None else said(value)
        except BaseException as error:
            result = Raised(type(error).__name__)
            raise
        finally:
            with self._lock:
                operation.result = result
                operation.responded = self._place_locked()
                if returns:
                    place = self._place_locked()
                    self._operations.append(
                        Operation(operation.who, f"{name} returns", (operation.invoked,), place, place)
                    )
        return value

    def happened(self, name: str, *arguments: Any) -> None:  # noqa: ANN401 - any hashable
        """Record what took no time."""
        operation = self._begin(name, arguments)
        with self._lock:
            operation.responded = operation.invoked

    def label(self, thing: object) -> int:
        """Number an object, from 1; equal numbers for the same object only. It is kept as long as the history is."""
        with self._lock:
            return self._labels.setdefault(id(thing), (len(self._labels) + 1, thing))[0]

    def _begin(self, name: str, arguments: tuple[Any, ...]) -> Operation:
        who = current().task().name
        with self._lock:
            operation = Operation(who, name, arguments, self._place_locked())
            self._operations.append(operation)
        return operation

    def _place_locked(self) -> int:
        self._places += 1
        return self._places
