from __future__ import annotations

import threading
from collections.abc import Callable


def test_a_running_thread_is_a_leak_until_it_ends(leaked_threads: Callable[[float], list[threading.Thread]]) -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    assert leaked_threads(0.0) == [thread]
    release.set()
    assert leaked_threads(2.0) == []
