"""Jobs that take things and give them back, again and again, while none of them starts.

    watch = Livelocks()
    resources = Resources("drop", watches=[watch])
    ...
    assert not watch.found

Nobody is blocked, so whoever looks for a deadlock sees nothing. That they will go on like this for ever nobody can
know: after so many rounds it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fencepost.checks.observers import log_stall
from fencepost.checks.resource_deadlock import waits_in
from fencepost.checks.resource_watch import ResourceWatch
from fencepost.checks.waits import Stall
from fencepost.errors import BadInput
from fencepost.policies.resources import Account

__all__ = ["ROUNDS", "Livelocks"]

ROUNDS: Final = 1000


class Livelocks(ResourceWatch):
    """Reports when things were given back for want of others too often since a job last started; once each time.

    Args:
        rounds: how often is too often.
        on_stall: see `ResourceWatch`.

    Raises:
        BadInput: for fewer than one round.
    """

    def __init__(self, rounds: int = ROUNDS, on_stall: Callable[[Stall], object] = log_stall) -> None:
        if rounds < 1:
            raise BadInput("rounds", str(rounds), "at least 1")
        super().__init__(on_stall)
        self._rounds = rounds
        # Whether it was reported since a job last started.
        self._said = False

    def judge(self, account: Account[Any]) -> Stall | None:
        said_before, self._said = self._said, account.retreats >= self._rounds
        if said_before or not self._said:
            return None
        reason = f"no job has started in {account.retreats} rounds of taking things and giving them back"
        return Stall(reason, waits_in(account, account.entries))
