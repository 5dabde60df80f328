"""The bubblewrap command line: what a job sees, as one pure function.

Everything is hidden but what is named here: the system's libraries, the interpreter, the tree
(read-only) and one scratch directory. Order matters to bwrap: later mounts cover earlier ones, so
the temporary file systems come before prefixes that may lie below them.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
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
_COVER_BYTES = MIB

DISPENSABLE = frozenset({"--disable-userns", "--size", "--clearenv"})
"""Flags of later releases that something else covers: the system call filter denies user
namespaces, the launcher mounts the sized file systems, and bwrap is started without environment."""


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
    """What one sandbox is made of. ``environment`` is all that the first process inherits.

    ``covers`` are directories to be hidden behind an empty one, into which later mounts may go;
    ``without`` the :data:`DISPENSABLE` flags that this bwrap does not know.
    """

    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    command: tuple[str, ...]
    seccomp_fd: int
    info_fd: int
    covers: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()


def memory(layout: Layout) -> tuple[tuple[str, int], ...]:
    """The file systems in memory that a sandbox has: target, and its size in bytes."""
    fixed = (("/dev/shm", _TMPFS_BYTES), ("/tmp", _TMPFS_BYTES), ("/home", MIB))  # noqa: S108
    return (*fixed, *((target, _COVER_BYTES) for target in layout.covers))


def arguments(layout: Layout, sized: Sequence[str] = ()) -> list[str]:
    """The arguments of ``bwrap`` for ``layout``, without the program's own name.

    Args:
        layout: what to build.
        sized: where the file systems of :func:`memory` are mounted already, in that order, for a
            bwrap without ``--size``.
    """
    command = [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
        *("--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
        *("--uid", "1000", "--gid", "1000", "--hostname", "hubpub"),
        *("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"),
    ]
    command = [flag for flag in command if flag not in layout.without]
    places = [
        ["--bind", sized[index], target] if sized else ["--size", str(size), "--tmpfs", target]
        for index, (target, size) in enumerate(memory(layout))
    ]
    fixed = len(places) - len(layout.covers)
    command += [*itertools.chain(*places[:fixed]), *_system()]
    # Prefixes first, then what covers a part of them, then what is shown in the covered part.
    covered = [mount for mount in layout.mounts if _is_below(mount.target, layout.covers)]
    for mount in layout.mounts:
        if mount not in covered:
            command += _bind(mount)
    command += itertools.chain(*places[fixed:])
    for mount in covered:
        command += _bind(mount)
    for name, value in layout.environment.items():
        command += ["--setenv", name, value]
    # bwrap's own / and /dev are writable memory: a job could fill the machine's RAM through them.
    for target in (*layout.covers, "/dev", "/"):
        command += ["--remount-ro", target]
    command += ["--chdir", "/"]
    command += ["--seccomp", str(layout.seccomp_fd), "--info-fd", str(layout.info_fd)]
    return [*command, "--", *layout.command]


def _bind(mount: Mount) -> list[str]:
    kind = "--dev-bind" if mount.device else "--bind" if mount.writable else "--ro-bind"
    return [kind + ("-try" if mount.optional else ""), mount.source, mount.target]


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def root_links() -> tuple[tuple[str, str], ...]:
    """The symbolic links in this machine's root that programs are found by, with their targets."""
    paths = [Path(name) for name in _ROOT_LINKS]
    return tuple((str(path), os.fspath(path.readlink())) for path in paths if path.is_symlink())


def system_mounts() -> tuple[Mount, ...]:
    """The system's programs and libraries, and the few files of /etc that they read."""
    paths = [Path("/usr")]
    paths += [Path(name) for name in _ROOT_LINKS if not Path(name).is_symlink()]
    paths += [Path("/etc", name) for name in _ETC]
    return tuple(Mount(str(path), str(path)) for path in paths if path.exists())


def _system() -> list[str]:
    command: list[str] = []
    for name, target in root_links():
        command += ["--symlink", target, name]
    for mount in system_mounts():
        command += _bind(mount)
    return command


def nvidia_mounts(root: Path = Path("/"), only: int | None = None) -> tuple[Mount, ...]:
    """The device nodes and driver paths CUDA needs; empty where there is no NVIDIA device.

    ``/sys`` is required by ``cuInit``, and device nodes must be ``--dev-bind``.

    Args:
        root: of the file system.
        only: the number of the one GPU to show (``/dev/nvidiaN``), beside the nodes that all share.
    """
    nodes = sorted((root / "dev").glob("nvidia*"))
    numbers = {node: node.name[len("nvidia") :] for node in nodes}
    if not any(number.isdigit() for number in numbers.values()):
        return ()
    nodes = [
        node
        for node in nodes
        if only is None or not numbers[node].isdigit() or int(numbers[node]) == only
    ]
    mounts = [Mount(str(node), f"/dev/{node.name}", device=True) for node in nodes]
    mounts.append(Mount("/sys", "/sys"))
    # Drivers elsewhere than below /usr, which every sandbox sees.
    mounts.append(Mount("/run/opengl-driver", "/run/opengl-driver", optional=True))
    return tuple(mounts)


def intel_mounts(number: int | None) -> tuple[Mount, ...]:
    """What an Intel GPU needs: its render node, and ``/sys``, where the driver looks for it."""
    node = f"/dev/dri/renderD{number}"
    return (Mount(node, node, device=True), Mount("/sys", "/sys"))
