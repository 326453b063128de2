"""Two buyers and one ticket: each actor is correct, and together they are not.

    fencepost explore examples/oversold.py:model
    fencepost explore examples/oversold.py:fixed

The first finds the schedule in which both look before either buys; the second finds none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fencepost import Actor, Runtime


@dataclass(frozen=True, slots=True)
class Look:
    """Buyer -> shop: are there tickets? Answered with their number."""


@dataclass(frozen=True, slots=True)
class Buy:
    """Buyer -> shop: one, please. Answered with whether there was one."""


class Shop(Actor):
    """Sells one ticket."""

    tickets = 1

    def on_look(self, _message: Look) -> int:
        """Tell how many are left."""
        return self.tickets

    def on_buy(self, _message: Buy) -> bool:
        """Hand one over, as whoever asks has looked whether there is one."""
        self.tickets -= 1
        return True

    messages: ClassVar = {Look: on_look, Buy: on_buy}


class CarefulShop(Shop):
    """Looks by itself."""

    def on_buy(self, _message: Buy) -> bool:
        """Hand one over if there is one."""
        if self.tickets == 0:
            return False
        self.tickets -= 1
        return True

    messages: ClassVar = {Look: Shop.on_look, Buy: on_buy}


def sell(runtime: Runtime, shop_class: type[Shop]) -> None:
    """Let two buyers look and buy; no ticket may be sold that is not there."""
    shop = runtime.start(shop_class, name="shop")

    def buy() -> None:
        if shop.actor_ref.ask(Look(), block=True) > 0:
            shop.actor_ref.ask(Buy(), block=True)

    buyers = [runtime.spawn(buy, "anna"), runtime.spawn(buy, "ben")]
    for buyer in buyers:
        buyer.join()
    assert shop.tickets >= 0, f"{-shop.tickets} ticket too many was sold"


def model(runtime: Runtime) -> None:
    """Both look before either buys, and both buy."""
    sell(runtime, Shop)


def fixed(runtime: Runtime) -> None:
    """The shop decides, in the one message that it handles at a time."""
    sell(runtime, CarefulShop)
