"""`python -m fencepost` is the command line."""

from __future__ import annotations

from fencepost.lab.cli import main

if __name__ == "__main__":
    main()
