"""From a reference to the tree that GitHub's zip holds, without a work tree of git's making.

A clone's files are not what torch.hub users get: the zip has no submodules, no LFS objects, no
``export-ignore`` paths, no ``.git``, and symbolic links become text files. So one ref is fetched
into a bare repository of ours and ``git archive`` makes the zip, which is extracted as torch.hub
does (``torch.hub._safe_extract_zip``, Python's zipfile).
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubpub.errors import CannotVerifyError
from hubpub.verify.differences import differences
from hubpub.verify.git import TIMEOUT_S, Git, refuse_size
from hubpub.verify.reference import Resolved, Target, resolve

_NAME_BYTES = 255
_SHOWN = 300
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Checkout:
    """The tree on disk, and the ids that name it. ``commit`` is None for a working tree.

    ``differs`` are the paths that a clone has otherwise; see :func:`differences`.
    """

    root: Path
    commit: str | None
    tree: str
    resolved: Resolved
    files: int
    differs: Mapping[str, str] = field(default_factory=dict)


def checkout(
    target: Target, folder: Path, github_url: str, timeout_s: float = TIMEOUT_S
) -> Checkout:
    """Fetch ``target`` and lay out its tree in ``folder / "tree"``.

    Args:
        target: what to fetch.
        folder: an empty directory of ours.
        github_url: what stands before ``/owner/repo``: https, http or file.
        timeout_s: what is left of the run's time; all git commands together take no longer.

    Raises:
        CannotVerifyError: no such repository or ref, no network, git refuses or is missing.
    """
    url = _url(target, github_url)
    git = Git(folder, url, timeout_s)
    git("init", "--bare", "--quiet", "--template=", str(git.bare))
    if target.working_tree:
        commit, tree, resolved = None, _snapshot(git, target), Resolved("worktree", "worktree", "")
    else:
        resolved = _resolve(git, target, url)
        want = "refs/hubpub/want"
        git(
            *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"),
            *("--no-write-fetch-head", "--end-of-options", url, f"+{resolved.refname}:{want}"),
        )
        commit = git("rev-parse", "--verify", f"{want}^{{commit}}").strip()
        if resolved.kind == "commit" and commit != resolved.ref:
            raise CannotVerifyError(
                f"{resolved.refname} moved from {resolved.ref} to {commit} while it was fetched",
                help="make a tag of the commit and verify that, or try again",
            )
        tree = git("rev-parse", "--verify", f"{want}^{{tree}}").strip()
    name = cache_name(target.owner, target.repo, resolved.ref)
    if len(os.fsencode(name)) > _NAME_BYTES:
        raise CannotVerifyError(
            f"torch.hub would keep this ref in a directory called {name!r}, which is too long",
            help=f"owner, repository and ref together fit in {_NAME_BYTES - 2} bytes",
        )
    entries = git.weigh(tree)
    root = folder / "tree" / name
    _make_directory(root)
    archive = folder / "tree.zip"
    git("archive", "--format=zip", f"--prefix={name}/", f"--output={archive}", commit or tree)
    files = extract(archive, root)
    archive.unlink()
    return Checkout(root, commit, tree, resolved, files, differences(entries, root))


def cache_name(owner: str, repo: str, ref: str) -> str:
    """The directory torch.hub keeps a repository in (``torch.hub._get_cache_or_reload``)."""
    return "_".join((owner, repo, ref.replace("/", "_")))


def web_url(target: Target, github_url: str) -> str | None:
    """``https://SERVER/owner/repo`` of what was verified; None of a local path or a mirror.

    An address with a login in it, or a path, is nobody's to read in a report.
    """
    server = github_url.rstrip("/")
    plain = re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?", server)
    return f"{server}/{target.owner}/{target.repo}" if plain and target.path is None else None


def _url(target: Target, github_url: str) -> str:
    if target.path is not None:
        return target.path.as_uri()
    parts = urlsplit(github_url)
    url = f"{github_url.rstrip('/')}/{target.owner}/{target.repo}"
    if parts.scheme != "file":
        return url
    base = Path(url2pathname(parts.path)) / target.owner
    for name in (target.repo, f"{target.repo}.git"):
        if (base / name).is_dir():
            return (base / name).as_uri()
    raise CannotVerifyError(f"{github_url} holds no {target.owner}/{target.repo}[.git]")


def _resolve(git: Git, target: Target, url: str) -> Resolved:
    """Which ref, by asking the remote for all its tips: torch.hub looks at the same lists."""
    heads: dict[str, str] = {}
    tags: dict[str, str] = {}
    head = head_commit = None
    listing = git("ls-remote", "--symref", "--end-of-options", url)
    for line in listing.split("\n"):  # a ref may hold what else ends a line
        sha, _, name = line.partition("\t")
        if sha.startswith("ref: refs/heads/") and name == "HEAD":
            head = sha[len("ref: refs/heads/") :]
        elif not _ID.fullmatch(sha):
            continue  # a symbolic reference, or a line break in a name
        elif name == "HEAD":
            head_commit = sha
        elif name.startswith("refs/heads/"):
            heads[name[len("refs/heads/") :]] = sha
        elif name.startswith("refs/tags/"):
            # The peeled line of an annotated tag comes last and names the commit.
            tags[name[len("refs/tags/") :].removesuffix("^{}")] = sha
    return resolve(target, heads, tags, head, head_commit)


def _snapshot(git: Git, target: Target) -> str:
    """The id of a tree made of the files as they are, ignored ones left out."""
    git("add", "--all", "--", ".", work_tree=target.path)
    return git("write-tree").strip()


def extract(archive: Path, root: Path) -> int:
    """Extract a zip of ``git archive`` into ``root`` without its top folder; the files written.

    As for torch.hub's users a symbolic link becomes a text file that holds its target.

    Raises:
        CannotVerifyError: a name that would leave ``root`` or that no file can have here, or too
            many files or bytes.
    """
    try:
        return _extract(archive, root)
    except OSError as error:
        place = f"{error.filename or root}"[-_SHOWN:]
        raise CannotVerifyError(
            f"the tree cannot be laid out: {error.strerror}: {place}"
        ) from error


def _extract(archive: Path, root: Path) -> int:
    files = folders = size = 0
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            parts = PurePosixPath(info.filename).parts[1:]
            if ".." in parts or "\\" in info.filename or "\0" in info.filename:
                raise CannotVerifyError(f"the tree holds an unsafe name: {info.filename!r}")
            size += info.file_size
            folders += info.is_dir()
            files += not info.is_dir()
            refuse_size(files + folders, size)
            path = root.joinpath(*parts)
            if info.is_dir():
                _make_directory(path)
                continue
            _make_directory(path.parent)
            with bundle.open(info) as source, path.open("xb") as copy:
                while chunk := source.read(1 << 20):
                    copy.write(chunk)
            path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    return files


def _make_directory(path: Path) -> None:
    """Make ``path`` and its parents readable for the user in the sandbox, whatever our umask."""
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir()
        path.chmod(0o755)
