"""The process in which ``pytest --hubpub-verify`` proves: ``hubpub verify``, tied to its parent.

In a process of its own, as nothing of pytest may change what is proven (warnings made errors, a
plugin that forbids sockets, a coverage tracer), and nothing of the run may fail the user's tests.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from hubpub.cli import main as hubpub

PROGRAM = (
    # Never a module of the directory that pytest was started in: that is the repository.
    "import sys; sys.path[:] = [each for each in sys.path if each]; "
    "from hubpub.pytesting.child import main; main()"
)
"""What Python is given to run, before the number of the parent and the arguments of hubpub."""
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the command line that stands behind the number of the parent; end when that ends."""
    parent, *arguments = sys.argv[1:]
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == int(parent):
        hubpub(arguments)
