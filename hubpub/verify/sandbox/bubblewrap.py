"""The tier ``bwrap``: namespaces made by bubblewrap, as an ordinary user, also where root asks."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import CannotVerifyError
from hubpub.verify.sandbox import advice, channel, command, launch, seccomp
from hubpub.verify.sandbox.tier import START_S, WORKER, NotUp, Plan, Started

_MAIN = "import sys; sys.path.insert(0, '{0}'); from hubpub_worker.supervisor import main; main()"


@dataclass(frozen=True)
class Bubblewrap:
    """``without``: the dispensable flags that this bwrap does not know."""

    path: str
    version: str
    without: frozenset[str] = frozenset()
    name: str = "bwrap"
    optional: frozenset[str] = frozenset({"disable_userns"})
    warning: str | None = None
    hides_packages: bool = True
    not_held: tuple[str, ...] = ()

    @property
    def features(self) -> dict[str, bool]:
        """Whether bwrap itself keeps user namespaces out; the system call filter always does."""
        return {"disable_userns": "--disable-userns" not in self.without}

    def scratch(self, folder: Path) -> str:  # noqa: ARG002 - the same for every sandbox
        """Where the scratch lies inside."""
        return command.SCRATCH

    def tree(self, root: Path) -> str:
        """Where the tree lies inside."""
        return f"{command.TREE}/{root.name}"

    def advice(self, stderr: str) -> str | None:
        """The mend for the cause that was met."""
        return advice.mend(advice.look(stderr))

    def start(self, plan: Plan) -> Started:
        """Start bwrap with the supervisor as the first process of its pid namespace.

        Raises:
            NotUp: bwrap did not come up.
        """
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        info, info_theirs = os.pipe2(os.O_CLOEXEC)
        filter_fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        handed = (theirs.fileno(), filter_fd, info_theirs)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, info)
            failed = undo.enter_context(contextlib.ExitStack())
            failed.callback(control.close)
            try:
                os.write(filter_fd, filter_program())
                os.lseek(filter_fd, 0, os.SEEK_SET)
                process = subprocess.Popen(
                    self.argv(plan, handed),
                    stdin=subprocess.DEVNULL,
                    stdout=plan.stderr,
                    stderr=plan.stderr,
                    pass_fds=handed,
                    env={},
                    cwd="/",
                )
            finally:
                theirs.close()
                os.close(filter_fd)
                os.close(info_theirs)
            found = channel.read_info(info, START_S)
            if found is None:
                process.kill()
                process.wait()
                raise NotUp("bubblewrap did not start")
            failed.pop_all()
        return Started(process, control, found["child-pid"])

    def argv(self, plan: Plan, descriptors: tuple[int, int, int]) -> list[str]:
        """The command that starts the sandbox: bwrap, or the launcher that becomes it."""
        layout = self._layout(plan, descriptors)
        root = os.geteuid() == 0
        if not root and "--size" not in self.without:
            return [self.path, *command.arguments(layout)]
        uid = plan.scratch.stat().st_uid if root else None
        return self._launched(layout, uid)

    def _layout(self, plan: Plan, descriptors: tuple[int, int, int]) -> command.Layout:
        control, filter_fd, info = descriptors
        python = plan.interpreter
        own = [
            command.Mount(str(plan.scratch), command.SCRATCH, writable=True),
            command.Mount(str(WORKER), f"{command.WORKER}/hubpub_worker"),
        ]
        etc = sorted((plan.folder / "etc").iterdir())
        own += [command.Mount(str(path), f"/etc/{path.name}") for path in etc]
        own += [command.Mount(path, path) for path in (*python.prefixes, *python.shown)]
        return command.Layout(
            mounts=(*own, *plan.mounts),
            environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": command.SCRATCH},
            command=(
                *(python.executable, "-I", "-B", "-c", _MAIN.format(command.WORKER)),
                *(str(control), *python.paths),
            ),
            seccomp_fd=filter_fd,
            info_fd=info,
            covers=python.covers,
            without=self.without,
        )

    def _launched(self, layout: command.Layout, uid: int | None) -> list[str]:
        """The launcher's command line; every source is reached through its pool."""
        here = [item for item in layout.mounts if not item.optional or Path(item.source).exists()]
        moved = tuple(
            dataclasses.replace(mount, source=launch.pooled(index))
            for index, mount in enumerate(here)
        )
        sizes = [size for _, size in command.memory(layout)] if "--size" in self.without else []
        sized = [launch.sized(index) for index in range(len(sizes))]
        arguments = command.arguments(dataclasses.replace(layout, mounts=moved), sized)
        request = {
            "uid": uid,
            "sources": [mount.source for mount in here],
            "sized": sizes,
            "argv": [self.path, *arguments],
        }
        return [sys.executable, "-I", launch.__file__, json.dumps(request)]


def find() -> Bubblewrap:
    """The bwrap on the PATH.

    Raises:
        CannotVerifyError: there is none, or it does not run.
    """
    path = shutil.which("bwrap")
    if path is None:
        seen = advice.look("", installed=False)
        raise CannotVerifyError("bubblewrap is not installed", help=advice.mend(seen))
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=START_S, check=True, env={}
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotVerifyError(
            f"{path} --version does not run: {error}", help=advice.INSTALL
        ) from error
    return Bubblewrap(path, done.stdout.strip().removeprefix("bubblewrap "))


def filter_program(*, own_pids: bool = True) -> bytes:
    """The system call filter for this machine.

    Raises:
        CannotVerifyError: there is none for it.
    """
    machine = platform.machine()
    try:
        return seccomp.program(machine, own_pids=own_pids)
    except KeyError as error:
        raise CannotVerifyError(
            f"no system call filter for {machine}",
            help=f"hubpub verify runs on {' and '.join(seccomp.AUDIT_ARCH)} Linux",
        ) from error
