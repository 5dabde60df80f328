"""A process as ``multiprocessing`` spawns one: torch is imported, nothing of the repository is.

Forked before the model is loaded, which takes no second import of torch. Like a spawned process it
gets the ``sys.path`` of the one that loaded the model (``multiprocessing.spawn``,
``get_preparation_data``), from which the loader has removed the tree by then.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

_TEXT = 2000
_ANSWER_BYTES = 1 << 15  # six for each character, at most; a pipe holds twice as much


class Apart:
    """The other process. It waits for one pickle, and ends."""

    def __init__(self) -> None:
        asking, self._ask = os.pipe()
        self._answer, answering = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._ask)
            os.close(self._answer)
            _answer(asking, answering)
        os.close(asking)
        os.close(answering)

    def returns(self, value: object, path: str) -> dict[str, Any]:
        """Send ``value`` there by way of the file ``path``; the error, if any, by type and message.

        Raises:
            Exception: what pickling raises here.
        """
        with open(path, "wb") as file:
            pickle.dump(value, file, pickle.HIGHEST_PROTOCOL)
        # A line, and its death: processes that the model left hold the ends of these pipes open.
        question = json.dumps({"file": path, "path": sys.path}).encode() + b"\n"
        with os.fdopen(self._ask, "wb") as pipe:
            pipe.write(question)
        _, status = os.waitpid(self._pid, 0)
        os.set_blocking(self._answer, False)
        with os.fdopen(self._answer, "rb", buffering=0) as pipe:
            answer = pipe.read(_ANSWER_BYTES) or b""
        if status != 0 or not answer:
            code = os.waitstatus_to_exitcode(status)
            return {"type": "WorkerEnded", "message": f"the worker process ended with {code}"}
        error: dict[str, Any] = json.loads(answer)
        return error


def _answer(asking: int, answering: int) -> None:
    """Load what is asked for and answer with the error; never returns."""
    leave: Callable[[int], object] = os._exit
    code = 1
    try:
        with os.fdopen(asking, "rb") as pipe:
            text = pipe.readline()
        error: dict[str, Any] = {}
        if text:
            question = json.loads(text)
            sys.path[:] = question["path"]
            try:
                with open(question["file"], "rb") as file:
                    pickle.load(file)
            except Exception as problem:
                name = type(problem).__name__
                error = {"type": name, "message": str(problem)[:_TEXT]}
                if isinstance(problem, ModuleNotFoundError) and problem.name:
                    error["module"] = problem.name
        os.write(answering, json.dumps(error).encode())
        code = 0
    finally:
        leave(code)
