"""What all designs of a call that maps a buffer on several GPUs have in common."""

from __future__ import annotations

from typing import Protocol

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client

__all__ = ["Design"]


class Design(Protocol):
    """A way to map a buffer on several GPUs: one system call or several, and what they do when something happens."""

    def map(self, client: Client, arguments: Arguments) -> None:
        """Map a buffer on all devices; when this returns, all of them may use it. Client context.

        Raises OSError when that did not work out; what the client is told besides is in the arguments.
        """
        ...
