"""The bubblewrap command line: what a job sees, as one pure function.

Everything is hidden but what is named here: the system's libraries, the interpreter, the tree
(read-only) and one scratch directory. Order matters to bwrap: later mounts cover earlier ones, so
the temporary file systems come before prefixes that may lie below them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hubpub.verify.limits import MIB

SCRATCH = "/scratch"
TREE = "/tree"
WORKER = "/worker"

_ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/tls/certs",
    "ca-certificates",
    "localtime",
    "alternatives",
    "nsswitch.conf",
)
_ROOT_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_TMPFS_BYTES = 256 * MIB


@dataclass(frozen=True)
class Mount:
    """Show ``source`` of this machine at ``target`` of the sandbox."""

    source: str
    target: str
    writable: bool = False
    device: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """What one sandbox is made of. ``environment`` is all that the first process inherits."""

    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    command: tuple[str, ...]
    seccomp_fd: int
    info_fd: int


def arguments(layout: Layout) -> list[str]:
    """The arguments of ``bwrap`` for ``layout``, without the program's own name."""
    command = [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
        *("--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
        *("--uid", "1000", "--gid", "1000", "--hostname", "hubpub"),
        *("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"),
        *_tmpfs("/dev/shm", _TMPFS_BYTES),  # noqa: S108
        *_tmpfs("/tmp", _TMPFS_BYTES),  # noqa: S108
        *_tmpfs("/home", MIB),
        *_system(),
    ]
    for mount in layout.mounts:
        kind = "--dev-bind" if mount.device else "--bind" if mount.writable else "--ro-bind"
        command += [kind + ("-try" if mount.optional else ""), mount.source, mount.target]
    for name, value in layout.environment.items():
        command += ["--setenv", name, value]
    # bwrap's own / and /dev are writable memory: a job could fill the machine's RAM through them.
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    command += ["--seccomp", str(layout.seccomp_fd), "--info-fd", str(layout.info_fd)]
    return [*command, "--", *layout.command]


def _tmpfs(target: str, size: int) -> list[str]:
    return ["--size", str(size), "--tmpfs", target]


def _system() -> list[str]:
    command = ["--ro-bind", "/usr", "/usr"]
    for name in _ROOT_LINKS:
        path = Path(name)
        if path.is_symlink():
            command += ["--symlink", os.fspath(path.readlink()), name]
        elif path.is_dir():
            command += ["--ro-bind", name, name]
    for name in _ETC:
        if Path("/etc", name).exists():
            command += ["--ro-bind", f"/etc/{name}", f"/etc/{name}"]
    return command


def nvidia_mounts(root: Path = Path("/")) -> tuple[Mount, ...]:
    """The device nodes and driver paths CUDA needs; empty where there is no NVIDIA device.

    ``/sys`` is required by ``cuInit``, and device nodes must be ``--dev-bind``.
    """
    nodes = sorted((root / "dev").glob("nvidia*"))
    if not any(node.name[len("nvidia") :].isdigit() for node in nodes):
        return ()
    mounts = [Mount(str(node), f"/dev/{node.name}", device=True) for node in nodes]
    mounts.append(Mount("/sys", "/sys"))
    # Drivers elsewhere than below /usr, which every sandbox sees.
    mounts.append(Mount("/run/opengl-driver", "/run/opengl-driver", optional=True))
    return tuple(mounts)
