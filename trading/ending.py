"""How a process that works in threads ends: asked by SIGTERM or SIGINT, within two seconds, also out of a call that
hangs.

It may cut off whatever runs, so it is only for processes in which everything may be killed at any instant and is
carried on by whoever comes next. Finishes nothing and gives nothing back: that is its caller's farewell.
"""

from __future__ import annotations

import os
import signal
import threading

_LAST_SECOND = 1.8


def stop_on_signals() -> threading.Event:
    """Set by the first signal; the process is gone soon after, whether or not anybody looked at it."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()
        last = threading.Timer(_LAST_SECOND, os._exit, [0])
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop
