"""What to do when a sandbox does not start: what was seen on this machine -> its cause -> the mend.

Why bubblewrap fails is rarely in its own words alone: the same "no permissions" means Docker's
seccomp profile in a container, AppArmor on Ubuntu and a sysctl elsewhere. So the settings that
decide are read too (:func:`look`), and one pure function judges (:func:`judge`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

INSTALL = """\
Debian, Ubuntu: sudo apt-get install bubblewrap
Fedora: sudo dnf install bubblewrap
Arch: sudo pacman -S bubblewrap"""

_RESTRICTS = "kernel/apparmor_restrict_unprivileged_userns"
_MOST = "user/max_user_namespaces"
_CLONE = "kernel/unprivileged_userns_clone"
_IN_A_CONTAINER = re.compile(r"docker|kubepods|libpod|lxc|containerd")

MENDS = {
    "missing": f"install it\n{INSTALL}",
    "too old": f"a newer bubblewrap is needed; 0.8 is tested, 0.6 without some flags\n{INSTALL}",
    "apparmor": """\
Ubuntu 23.10 and later keep ordinary programs from making user namespaces; allow it with
sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
or allow bubblewrap alone: write these two lines to /etc/apparmor.d/bwrap
  abi <abi/4.0>,
  profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }
and load them with: sudo apparmor_parser -r /etc/apparmor.d/bwrap""",
    "userns off": "user namespaces are off here: sudo sysctl -w user.max_user_namespaces=15000",
    "userns for root only": """\
user namespaces are off for ordinary users: sudo sysctl -w kernel.unprivileged_userns_clone=1""",
    "userns spent": """\
no further user namespace may be made here (too many, or nested too deep)
run hubpub outside the sandbox that it is in, or: sudo sysctl -w user.max_user_namespaces=15000""",
    "container": """\
this container forbids namespaces (the default seccomp profile of Docker and Podman does)
run hubpub on the host, or start the container with --security-opt seccomp=unconfined
--security-opt apparmor=unconfined --security-opt systempaths=unconfined""",
    "masked proc": """\
this looks like a container that masks /proc: run hubpub on the host, or start the container with
--security-opt systempaths=unconfined --security-opt apparmor=unconfined
(hubpub never retries with the host's /proc: that would be a weaker sandbox)""",
    "root without rights": """\
root without CAP_SYS_ADMIN cannot build the sandbox: run hubpub as an ordinary user""",
    "few ids": """\
root of a user namespace that maps too few ids cannot become another user: run hubpub as an
ordinary user, or outside of that namespace""",
    "no userns": """\
this kernel makes no user namespaces for hubpub; look at these, in this order
sysctl user.max_user_namespaces kernel.unprivileged_userns_clone
sysctl kernel.apparmor_restrict_unprivileged_userns
and, in a container, its seccomp profile (--security-opt seccomp=unconfined)""",
    "unknown": "hubpub needs bubblewrap with user namespaces; it never runs the code unsandboxed",
}

_NO_NAMESPACE = (
    "No permissions to creat",
    "Creating new namespace failed",
    "Unable to create new namespace",
    "hubpub launch: unshare",
    "max_user_namespaces",
)
_HELD_BACK = ("setting up uid map: Permission denied", "Failed RTM_NEWADDR")
_MASKED = ("Can't mount proc", "Failed to make / slave", "hubpub launch: mount")
_FEW_IDS = ("hubpub launch: become",)
_SPENT = ("ENOSPC", "No space left on device")
_UNKNOWN_OPTION = re.compile(r"Unknown option (--[a-z0-9-]+)")


@dataclass(frozen=True)
class Seen:
    """What decides: bubblewrap's words and this machine's settings (None: there is no such one)."""

    stderr: str = ""
    installed: bool = True
    root: bool = False
    container: bool = False
    apparmor_restricts: bool = False
    max_user_namespaces: int | None = None
    unprivileged_clone: int | None = None


def look(stderr: str, *, installed: bool = True, root: Path = Path("/")) -> Seen:
    """Read this machine's settings, below ``root``."""
    marks = (root / ".dockerenv", root / "run/.containerenv")
    groups = _text(root / "proc/1/cgroup")
    return Seen(
        stderr=stderr,
        installed=installed,
        root=os.geteuid() == 0,
        container=any(map(Path.exists, marks)) or bool(_IN_A_CONTAINER.search(groups)),
        apparmor_restricts=_number(root / "proc/sys" / _RESTRICTS) == 1,
        max_user_namespaces=_number(root / "proc/sys" / _MOST),
        unprivileged_clone=_number(root / "proc/sys" / _CLONE),
    )


def judge(seen: Seen) -> str:
    """The cause, one of the keys of :data:`MENDS`."""
    if not seen.installed:
        return "missing"
    if unknown_option(seen.stderr):
        return "too old"
    if _says(seen, _FEW_IDS):
        return "few ids"
    if _says(seen, _NO_NAMESPACE):
        return _no_namespace(seen)
    if _says(seen, _HELD_BACK):
        return "apparmor" if seen.apparmor_restricts or not seen.container else "container"
    return "masked proc" if _says(seen, _MASKED) else "unknown"


def _no_namespace(seen: Seen) -> str:
    if seen.max_user_namespaces == 0:
        return "userns off"
    if seen.unprivileged_clone == 0:
        # As root too: bubblewrap is started by the throw-away user.
        return "userns for root only"
    if _says(seen, _SPENT):
        return "userns spent"
    if seen.apparmor_restricts and not seen.container:
        return "apparmor"
    if seen.container:
        return "container"
    return "root without rights" if seen.root and "hubpub launch" in seen.stderr else "no userns"


def mend(seen: Seen) -> str:
    """What to do about it, for whoever has to."""
    return MENDS[judge(seen)]


def unknown_option(stderr: str) -> str | None:
    """The flag that this bubblewrap does not know, from its own words."""
    found = _UNKNOWN_OPTION.search(stderr)
    return found.group(1) if found else None


def _says(seen: Seen, fragments: tuple[str, ...]) -> bool:
    return any(fragment in seen.stderr for fragment in fragments)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isascii() and text.isdigit() else None
