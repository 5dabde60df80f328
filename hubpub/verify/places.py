"""The sandboxes of one lane: one for the CPU, which shows no GPU, and one for a GPU at a time.

A job on the CPU stands for the machine of a user without a GPU, so that it gets none to see; a job
on a GPU sees that one, and the sandbox is made anew where the next entrypoint has another.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from hubpub.verify.gpus import Gpu
from hubpub.verify.jobs import Jobs


class Places:
    """Where the jobs of a lane run. A context manager: leaving it kills all."""

    def __init__(self, start: Callable[[Gpu | None], Jobs]) -> None:
        """Start the sandbox for the CPU; ``start`` makes the jobs of a device, None the CPU's."""
        self._start = start
        self._other: tuple[Gpu, Jobs] | None = None
        self.cpu = start(None)

    def on(self, gpu: Gpu | None) -> Jobs:
        """The jobs on this device.

        Raises:
            CannotVerifyError: no sandbox with this GPU in it can be started.
        """
        if gpu is None:
            return self.cpu
        if self._other is None or self._other[0] != gpu:
            self._leave()
            self._other = (gpu, self._start(gpu))
        return self._other[1]

    def _leave(self) -> None:
        if self._other is not None:
            self._other[1].__exit__(None, None, None)
            self._other = None

    def __enter__(self) -> Places:  # noqa: PYI034 - typing.Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._leave()
        finally:
            self.cpu.__exit__(kind, error, trace)
