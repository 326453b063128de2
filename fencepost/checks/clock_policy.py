"""When a deadline may come: never early, a little early, or whenever it does most harm."""

from __future__ import annotations

import re

from fencepost.errors import BadInput

__all__ = ["parse_clock_policy"]

SLACK = re.compile(r"slack(\d+)")


def parse_clock_policy(text: str, where: str = "timers") -> int | None:
    """Return how many ns too early a deadline may come while others could still run; None is at any time.

    Args:
        text: `never` (time passes only when nobody can run), `free` (at any time), or `slackN` (N us too early at
            most: what two machines may disagree about how fast the others are).
        where: the option it comes from.

    Raises:
        BadInput: for anything else.
    """
    if text == "never":
        return 0
    if text == "free":
        return None
    match = SLACK.fullmatch(text)
    if match is None:
        raise BadInput(where, repr(text), "never, free or slackN with N in us, such as slack100")
    return int(match[1]) * 1000
