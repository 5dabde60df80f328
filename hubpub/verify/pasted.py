"""What somebody meant who pasted a URL, or another tool's form, where ``owner/repo[:ref]`` goes.

The paths are those of github.com's pages and downloads, and of the hosts that serve them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

_HOSTS = r"(?:www\.)?github\.com|raw\.githubusercontent\.com|codeload\.github\.com"
_SCP = re.compile(r"[\w.-]+@([\w.-]+):(?!//)(.+)")
_URL = re.compile(r"(?:git\+)?([a-z][a-z0-9.-]*)://(.+)", re.IGNORECASE)
_BARE = re.compile(rf"(?://)?({_HOSTS})(?:/(.*))?", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=//)[^/@]*@")
_SPACES = re.compile(r"^refs/(?:heads|tags)/")
_SUFFIX = re.compile(r"\.(?:zip|tar\.gz|tgz)$")
_REPO = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*?)(?:\.git)?(?:[@:](.*))?")
_OWNER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def is_url(text: str) -> bool:
    """Whether ``text`` is an address, of a page or for git, with or without its scheme."""
    text = text.strip()
    return any(form.fullmatch(text) for form in (_SCP, _URL, _BARE))


def shown(text: str) -> str:
    """``text`` to repeat in a message: without the login that a URL may hold."""
    return _LOGIN.sub("", text)


def meant(text: str) -> str | None:
    """``owner/repo[:ref]`` that ``text`` stands for, as far as it can be told; None elsewhere."""
    text = text.strip().strip("<>\"'")
    host, path = _host_and_path(text)
    # In a URL these begin what is no path; "owner/repo#ref" is other tools' form.
    path = re.split(r"[?#]", path)[0] if host else path.replace("#", "@", 1)
    parts = [part for part in unquote(path).split("/") if part]
    if len(parts) < 2:
        return None
    owner, repo, *rest = parts
    found = _REPO.fullmatch(repo)
    if not found or not _OWNER.fullmatch(owner):
        return None
    name, ref = found.groups()
    if rest:
        told = _ref(host, rest)
        if told is None and not host:
            return None
        # A slash after "@" or ":" belongs to the ref.
        ref = told if ref is None else "/".join([ref, *rest])
    return f"{owner}/{name}:{ref}" if ref else f"{owner}/{name}"


def _host_and_path(text: str) -> tuple[str, str]:
    if url := _URL.fullmatch(text):
        try:
            parts = urlsplit(f"//{url[2]}")
        except ValueError:  # brackets that are no address
            return "", ""
        return (parts.hostname, parts.path) if parts.hostname else ("", "")
    if scp := _SCP.fullmatch(text):
        return scp[1], scp[2]
    if bare := _BARE.fullmatch(text):
        return bare[1].lower(), bare[2] or ""
    return "", text


def _ref(host: str, rest: Sequence[str]) -> str | None:
    """The ref in what follows ``owner/repo`` in a page's path; None where it holds none."""
    page, *after = rest
    if host == "raw.githubusercontent.com":
        return _of_file(_SPACES.sub("", "/".join(rest)).split("/"))
    if page in {"blob", "raw", "blame", "edit"}:
        return _of_file(_SPACES.sub("", "/".join(after)).split("/"))
    if page == "releases":
        kind, *names = [*after, ""]
        tag = names[:1] if kind == "download" else names
        return "/".join(filter(None, tag)) or None if kind in {"tag", "download"} else None
    if page == "commit":
        return after[0] if after else None
    if page in {"tree", "commits", "archive", "zipball", "tarball", "zip", "tar.gz"}:
        ref = _SPACES.sub("", "/".join(after))
        return (_SUFFIX.sub("", ref) if page == "archive" else ref) or None
    return None


def _of_file(parts: Sequence[str]) -> str | None:
    """The ref before a file's path: all of it where that is hubconf.py, which lies at the root."""
    if len(parts) > 1 and parts[-1] == "hubconf.py":
        return "/".join(parts[:-1])
    return parts[0] or None
