"""The signals that would end the program, held off while files are being put in their places.

By handlers, not by a mask: a signal goes to any thread that lets it through, and Python then
handles it in the first one all the same.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextlib.contextmanager
def noted() -> Iterator[list[int]]:
    """Their numbers as they come, while the block runs; what is ignored stays ignored.

    In a thread other than the first, which gets no signal, nothing is noted.
    """
    came: list[int] = []
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                # One that is not Python's own could not be given back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, lambda number, _: came.append(number))
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold them back; they come when the block is done."""
    came: list[int] = []
    try:
        with noted() as came:
            yield
    finally:
        for number in came:
            signal.raise_signal(number)
