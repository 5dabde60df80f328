"""Several things at a time, each lane in a thread of its own for as long as it lives.

A sandbox dies with the thread that started it (``bwrap --die-with-parent``), so that a lane starts,
uses and closes its own in one thread. The caller's thread is the first lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

Lane = TypeVar("Lane")
Item = TypeVar("Item")
Result = TypeVar("Result")


class StoppedError(Exception):
    """Another lane has failed, or the run was interrupted; this one ends as well."""


class _Queue(Generic[Item]):
    """What is left to do, and whether anybody may go on."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._left = iter(enumerate(items))
        self._taking = threading.Lock()
        self.stop = threading.Event()

    def take(self) -> tuple[int, Item] | None:
        """The next item and its number; None where there is none, or no lane may go on."""
        with self._taking:
            return None if self.stop.is_set() else next(self._left, None)

    def check(self) -> None:
        """Raise where no lane may go on."""
        if self.stop.is_set():
            raise StoppedError


def each(
    items: Sequence[Item],
    do: Callable[[Lane, Item], Result],
    first: Lane,
    another: Callable[[Callable[[], None]], AbstractContextManager[Lane]],
    count: int,
) -> list[Result]:
    """``do`` for every item, ``count`` at a time; the results in the order of the items.

    Args:
        items: what there is to do; each lane takes the next one when it is free.
        do: called with a lane and an item.
        first: the caller's own lane.
        another: opens a lane; it is given a function to call often, which raises
            :class:`StoppedError` when the lane is to end.
        count: how many lanes, the caller's included.

    Raises:
        BaseException: whatever ``do`` or ``another`` raised first; every lane has ended then.
    """
    queue = _Queue(items)
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def work(lane: Lane) -> None:
        while (taken := queue.take()) is not None:
            results[taken[0]] = do(lane, taken[1])

    def run(ended: threading.Event) -> None:
        try:
            with another(queue.check) as lane:
                work(lane)
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where it can be seen
            failures.append(error)
            queue.stop.set()
        finally:
            ended.set()

    others = [threading.Event() for _ in range(min(count, len(items)) - 1)]
    for ended in others:
        threading.Thread(target=run, args=(ended,)).start()
    try:
        work(first)
        _wait(others)  # here too a signal can come
    except BaseException:
        queue.stop.set()
        _wait(others)
        raise
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(items))]


def _wait(ends: Sequence[threading.Event]) -> None:
    """Not by ``Thread.join``: once a signal has cut it short, it takes the thread for ended.

    (CPython before 3.12, ``threading.Thread._wait_for_tstate_lock``.)
    """
    for ended in ends:
        ended.wait()
