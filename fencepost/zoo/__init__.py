"""The zoo: historic bugs, one file each, that a search must find.

Each entry is the behaviour as it is today, with the one step that the historic fix changed put back to how it was. So
an entry shows what was wrong, tests the search and the observers that must find it, and keeps the product from
growing steps too big to be replaced one at a time.
"""

from __future__ import annotations

from fencepost.zoo.bug import REQUIRED, Bug
from fencepost.zoo.catalogue import find_bug, load_bugs

__all__ = ["REQUIRED", "Bug", "find_bug", "load_bugs"]
