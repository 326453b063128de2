"""The steps of a run in words: which task did what to what, and where the turn went to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from fencepost.actors import Actor
from fencepost.actors.future import Future
from fencepost.sync import Task
from fencepost.sync.controlled import CLOCK, ControlledWorld

__all__ = ["Account", "Deed", "account_of", "words_for"]

VERBS: Final = {
    "acquire": "takes",
    "release": "gives back",
    "put": "puts {note} into",
    "get": "gets {note} from",
    "look": "looks at",
    "wake": "wakes",
    "sleep": "waits for {note}",
    "spawn": "starts {note}",
    "join": "joins",
    "start": "begins",
    "end": "ends",
    "jump": "jumps to the next deadline",
    "set": "sets",
}
FIELD_VERBS: Final = {"read": "looks at", "write": "changes"}
WITHOUT_A_THING: Final = frozenset({"end", "jump", "sleep", "spawn", "start"})
MAIL: Final = "mail of "
WORK_QUEUE: Final = "work queue"
PRIMITIVES: Final = (str, int, float, type(None))
LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class Deed:
    """One step, in words.

    Attributes:
        who: the task, with the actor that it carries if that has another name; or `the clock`.
        what: what it did.
        switch: whether somebody else did the step before.
    """

    who: str
    what: str
    switch: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What was done in a run."""

    deeds: tuple[Deed, ...]

    def last(self, count: int) -> str:
        """Return the last `count` deeds, a line each; an arrow says that the turn went to another task."""
        deeds = list(without_brief_locking(self.deeds))[-count:]
        width = max((len(deed.who) for deed in deeds), default=0)
        return "\n".join(f"  {'->' if deed.switch else '  '} {deed.who:{width}}  {deed.what}" for deed in deeds)


def words_for(item: object, place: str) -> str:
    """Say what goes through the mailbox `place`, or is waited for: never with an address."""
    # Letters and envelopes carry a message; those of `ask` have somebody to answer.
    message = getattr(item, "message", item)
    said = said_of(message)
    answer = getattr(item, "reply_to", None)
    if place and isinstance(answer, Future):
        answer.name(f"the answer of {place.removeprefix(MAIL)} to {said}")
    return said


def said_of(message: object) -> str:
    """Name a message: by its type, and its own name if it has one."""
    if isinstance(message, Actor | Task):
        return message.name
    if isinstance(message, PRIMITIVES):
        text = str(message)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    name = getattr(message, "name", None)
    return f"{type(message).__name__} {name}" if isinstance(name, str) and name else type(message).__name__


def account_of(world: ControlledWorld) -> Account:
    """Put the steps of a world, one that was told to keep words, into words."""
    return Account(tuple(deeds_of(world)))


def deeds_of(world: ControlledWorld) -> Iterator[Deed]:
    names: Sequence[str] = (*world.names, "the clock")
    carried: dict[int, str] = {}
    before: int | None = None
    for index, (who, action, number) in enumerate(world.steps[: world.stuck_at]):
        note = world.notes.get(index, "")
        thing = "" if who == CLOCK else world.name_of(number)
        if thing == WORK_QUEUE and action in ("get", "go on"):
            carried[who] = note
        what = phrase(action, thing, note)
        who_says = f"{names[who]} ({carried[who]})" if carried.get(who) else names[who]
        yield Deed(who_says, what, switch=before is not None and who != before)
        before = who


def without_brief_locking(deeds: Sequence[Deed]) -> Iterator[Deed]:
    """Make one deed of a lock that is taken and given back at once."""
    skip = False
    for deed, following in zip_longest(deeds, deeds[1:]):
        if skip:
            skip = False
            continue
        thing = deed.what.removeprefix("takes ")
        skip = following is not None and not following.switch and following.what == f"gives back {thing}"
        yield replace(deed, what=f"takes {thing} and gives it back") if skip else deed


def phrase(action: str, thing: str, note: str) -> str:
    """Say what was done."""
    if action == "go on":
        return f"gets {note} from {thing}" if note else "is woken"
    if not note and action == "get":
        return f"finds {thing} empty"
    if note and action == "acquire":
        return f"finds {thing} {note}"
    if action in FIELD_VERBS and note:
        return f"{FIELD_VERBS[action]} {note}"
    text = VERBS.get(action, action).replace("{note}", note).replace("  ", " ")
    return text if action in WITHOUT_A_THING else f"{text} {thing}"
