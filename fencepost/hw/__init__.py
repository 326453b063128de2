"""What stands below the driver: devices that execute jobs.

mock        completes jobs by duration, or when told
"""

from __future__ import annotations

from fencepost.hw.mock import MockBackend

__all__ = ["MockBackend"]
