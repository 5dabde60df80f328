"""What to do when bubblewrap is missing or refused: its error text -> the exact mend."""

from __future__ import annotations

_INSTALL = """\
Debian, Ubuntu: sudo apt-get install bubblewrap
Fedora: sudo dnf install bubblewrap
Arch: sudo pacman -S bubblewrap"""

_APPARMOR = """\
Ubuntu 23.10 and later keep unprivileged programs from making user namespaces; allow it with
sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
or give bwrap alone a profile: /etc/apparmor.d/bwrap with `userns,` and apparmor_parser -r"""

_NO_USERNS = """\
user namespaces are off here (Docker's default seccomp profile, or a sysctl)
in a container: run hubpub on the host, or start it with --security-opt seccomp=unconfined
else: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"""

_NESTED = """\
this looks like a container that masks /proc; run hubpub on the host instead
(hubpub never retries with the host's /proc: that would be a weaker sandbox)"""

_KNOWN = (
    ("setting up uid map: Permission denied", _APPARMOR),
    ("Failed RTM_NEWADDR", _APPARMOR),
    ("No permissions to creat", _NO_USERNS),
    ("Creating new namespace failed", _NO_USERNS),
    ("max_user_namespaces", _NO_USERNS),
    ("Can't mount proc", _NESTED),
    ("Failed to make / slave", _NESTED),
    ("Unknown option --disable-userns", "bubblewrap 0.8 or later is needed\n" + _INSTALL),
    ("Unknown option --size", "bubblewrap 0.8 or later is needed\n" + _INSTALL),
    (
        "hubpub launch: unshare",
        "root without CAP_SYS_ADMIN cannot build the sandbox: run hubpub as an ordinary user",
    ),
    ("hubpub launch: mount", _NESTED),
)


def for_missing() -> str:
    """What to do when there is no ``bwrap`` on the PATH."""
    return _INSTALL


def for_stderr(text: str) -> str:
    """What to do about ``text``, which bubblewrap or the launcher wrote before it failed."""
    for fragment, advice in _KNOWN:
        if fragment in text:
            return advice
    return "hubpub needs bubblewrap with user namespaces; it never runs the code unsandboxed"
