"""From a reference to the tree that GitHub's zip holds, without a work tree of git's making.

A clone's files are not what torch.hub users get: the zip has no submodules, no LFS objects, no
``export-ignore`` paths, no ``.git``, and symbolic links become text files. So one ref is fetched
into a bare repository of ours and ``git archive`` makes the zip, which is extracted as torch.hub
does (``torch.hub._safe_extract_zip``, Python's zipfile).

The remote repository is hostile: no configuration, hook, filter, credential helper or transport
but the one asked for takes part. GitPython only runs constant argument lists.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import GIB
from hubpub.verify.reference import Resolved, Target, resolve

_TIMEOUT_S = 900
_MOST_FILES = 100_000
_NAME_BYTES = 255
_MOST_NAME = 1 << 20
_MOST_SAID = 64 << 20  # a hundred bytes for each of half a million references
_SHOWN = 300
_MOST_BYTES = 8 * GIB
_FILE_BYTES = 12 * GIB
"""Of any file that git writes: a pack, the zip."""
_MEMORY_BYTES = 4 * GIB
"""Of a git process, what it maps from files aside: a few bytes of a pack can unfold into all."""
_BOUNDED = 'ulimit -f "$0" 2>/dev/null; ulimit -d "$1" 2>/dev/null; shift; exec "$@"'
"""In blocks of 512 bytes, and in KiB. They fail where the user has a smaller bound, which holds."""
_KEPT_ENVIRONMENT = (
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
)  # fmt: skip
_CONFIGURATION = (
    "protocol.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.sshCommand=/bin/false",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "transfer.fsckObjects=true",
    "transfer.unpackLimit=1",  # one pack, whose size can be bounded, and no loose objects
    "submodule.recurse=false",
    "gc.auto=0",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


@dataclass(frozen=True)
class Checkout:
    """The tree on disk, and the ids that name it. ``commit`` is None for a working tree."""

    root: Path
    commit: str | None
    tree: str
    resolved: Resolved
    files: int


def checkout(
    target: Target, folder: Path, github_url: str, timeout_s: float = _TIMEOUT_S
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
    git = _Git(folder, url, timeout_s)
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
    git.weigh(tree)
    root = folder / "tree" / name
    _make_directory(root)
    archive = folder / "tree.zip"
    git("archive", "--format=zip", f"--prefix={name}/", f"--output={archive}", commit or tree)
    files = extract(archive, root)
    archive.unlink()
    return Checkout(root, commit, tree, resolved, files)


def cache_name(owner: str, repo: str, ref: str) -> str:
    """The directory torch.hub keeps a repository in (``torch.hub._get_cache_or_reload``)."""
    return "_".join((owner, repo, ref.replace("/", "_")))


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


class _Git:
    """git with nothing of the user's or of the machine's configuration; one bare repository."""

    def __init__(self, folder: Path, url: str, timeout_s: float) -> None:
        try:
            import git
        except ImportError as error:
            # GitPython looks for the git program when it is imported.
            raise CannotVerifyError(
                f"git cannot be used: {str(error).splitlines()[0]}",
                help="install git, and pip install 'hubpub[verify]'",
            ) from error
        self.bare = folder / "git"
        self._deadline = time.monotonic() + timeout_s
        self._failed = git.exc.CommandError
        self._execute = git.cmd.Git(str(folder)).execute
        config = folder / "gitconfig"
        parts = urlsplit(url)
        safe = url2pathname(parts.path) if parts.scheme == "file" else ""
        # upload-pack refuses a repository of another user unless it is named here; the user named
        # it, and upload-pack runs nothing of it. Both spellings: bare, and with a .git inside.
        quoted = safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        config.write_text(
            f'[safe]\n\tdirectory = "{quoted}"\n\tdirectory = "{quoted}/.git"\n' if safe else "",
            encoding="utf-8",
        )
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        self._environment: Mapping[str, str] = {
            **kept,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "GIT_ALLOW_PROTOCOL": parts.scheme,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(config),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",  # a local repository's own remote would name a program
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def __call__(self, *arguments: str, work_tree: Path | None = None) -> str:
        """Run git in the bare repository; its standard output.

        Raises:
            CannotVerifyError: git failed or took too long.
        """
        command = self._command(*arguments, work_tree=work_tree)
        with self._running(command) as process:
            output, complaint = _said(process, arguments[0])
            if process.returncode != 0:
                raise _failure(arguments[0], process.returncode, os.fsdecode(complaint))
        return os.fsdecode(output)

    def _command(self, *arguments: str, work_tree: Path | None = None) -> list[str]:
        environment = dict(self._environment)
        if arguments[0] != "init":
            environment["GIT_DIR"] = str(self.bare)
        settings = [part for value in _CONFIGURATION for part in ("-c", value)]
        settings += ["-c", f"protocol.{environment['GIT_ALLOW_PROTOCOL']}.allow=always"]
        if work_tree is not None:
            environment["GIT_WORK_TREE"] = str(work_tree)
            settings += ["-C", str(work_tree)]
        # A time of 0 would be none for `timeout`.
        left_s = max(0.001, min(self._deadline - time.monotonic(), _TIMEOUT_S))
        # `env -i`, because GitPython would add our own environment: a hook's GIT_DIR, say.
        return [
            *("timeout", "--kill-after=5", f"{left_s:.3f}"),
            *("sh", "-c", _BOUNDED, str(_FILE_BYTES // 512), str(_MEMORY_BYTES >> 10), "env", "-i"),
            *(f"{name}={value}" for name, value in environment.items()),
            *("git", *settings, *arguments),
        ]

    @contextlib.contextmanager
    def _running(self, command: list[str]) -> Iterator[Any]:
        """A git process that does not outlive the block, however that is left."""
        try:
            process = self._execute(command, as_process=True)
        except self._failed as error:
            raise CannotVerifyError(f"git cannot be started: {error}") from error
        try:
            yield process
        finally:
            if process.poll() is None:
                # `timeout` passes it on to git and what git started.
                process.terminate()
                for stream in (process.stdout, process.stderr):
                    stream.close()  # what is left to say may be without end
                process.communicate()
            for stream in (process.stdout, process.stderr):
                stream.close()

    def weigh(self, tree: str) -> None:
        """Refuse a tree that is too large before anything is made of it.

        A few objects can name each other into billions of files, on which git archive would spend
        all memory; the listing is read as it comes and left as soon as it is too long.

        Raises:
            CannotVerifyError: too many files or bytes.
        """
        files = size = 0
        rest = b""
        with self._running(self._command("ls-tree", "-r", "-l", "-z", tree)) as process:
            while chunk := process.stdout.read(1 << 16):
                *entries, rest = (rest + chunk).split(b"\0")
                fields = (entry.partition(b"\t")[0].split()[-1] for entry in entries)
                if len(rest) > _MOST_NAME:
                    raise CannotVerifyError(
                        f"the tree holds a name of more than {_MOST_NAME} bytes"
                    )
                files += len(entries)
                size += sum(int(field) for field in fields if field.isdigit())
                _refuse_size(files, size)
            _, complaint = _said(process, "ls-tree")
            if process.returncode != 0:
                raise _failure("ls-tree", process.returncode, os.fsdecode(complaint))


def _said(process: Any, verb: str) -> tuple[bytes, bytes]:
    """All that git says on both ways until it ends.

    Raises:
        CannotVerifyError: too much: a server can name references, or complain, without end.
    """
    said = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in said:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                said[key.fileobj] += data
                if len(said[key.fileobj]) > _MOST_SAID:
                    raise CannotVerifyError(
                        f"git {verb} says more than {_MOST_SAID >> 20} MiB",
                        help="the repository has too many branches and tags, or its server is odd",
                    )
    process.communicate()  # it has ended, or is about to: both ways are closed
    return bytes(said[process.stdout]), bytes(said[process.stderr])


def _refuse_size(files: int, size: int) -> None:
    if files > _MOST_FILES or size > _MOST_BYTES:
        limit = f"{_MOST_FILES} files or {_MOST_BYTES} bytes"
        raise CannotVerifyError(f"the tree holds more than {limit}")


_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FAULT = re.compile(r"\berror: (object [0-9a-f]+: .+)")
"""What git's own check says of an object (``transfer.fsckObjects``)."""
_TOO_LARGE = re.compile(r"invalid index-pack output|died of signal|File too large")
"""What git says where a process of its own was ended at the bound of a file, or by a bad pack."""


def _failure(verb: str, status: int, stderr: str) -> CannotVerifyError:
    """Git's own words, and what they mean for someone who never sees the command."""
    found = re.search(r"\b(?:fatal|error):\s*(.+)", stderr)
    text = found.group(1).strip("' ") if found else f"exit {status}"
    advice = None
    if re.search("out of memory", stderr, re.IGNORECASE):
        text = f"the repository takes more than {_MEMORY_BYTES >> 30} GiB of memory"
    elif fault := _FAULT.search(stderr):
        text = f"git finds fault with the repository: {fault.group(1)[:_SHOWN]}"
    elif _TOO_LARGE.search(stderr) or status == 128 + signal.SIGXFSZ:
        text = f"the pack is damaged, or a file is larger than {_FILE_BYTES >> 30} GiB"
    elif status == 124:
        text = "no end within its time (--deadline)"
    elif re.search(
        r"could not read Username|Authentication failed|not found|terminal prompts", text
    ):
        advice = "the repository does not exist, or is private: torch.hub can load neither"
    elif re.search(r"Could not resolve host|unable to access|Failed to connect", text):
        advice = "check the network, or set HUBPUB_GITHUB_URL to a mirror"
    elif "expected commit type" in text:
        text, advice = "the reference names no commit", "it names a file or a folder: tag a commit"
    elif "does not appear to be a git repository" in text:
        advice = "commit the files first, or use --working-tree for the files as they are"
    return CannotVerifyError(f"git {verb}: {text}", help=advice)


def _resolve(git: _Git, target: Target, url: str) -> Resolved:
    """Which ref, by asking the remote for all its tips: torch.hub looks at the same lists."""
    heads: dict[str, str] = {}
    tags: dict[str, str] = {}
    head = None
    listing = git("ls-remote", "--symref", "--end-of-options", url)
    for line in listing.split("\n"):  # a ref may hold what else ends a line
        sha, _, name = line.partition("\t")
        if sha.startswith("ref: refs/heads/") and name == "HEAD":
            head = sha[len("ref: refs/heads/") :]
        elif not _ID.fullmatch(sha):
            continue  # a symbolic reference, or a line break in a name
        elif name.startswith("refs/heads/"):
            heads[name[len("refs/heads/") :]] = sha
        elif name.startswith("refs/tags/"):
            # The peeled line of an annotated tag comes last and names the commit.
            tags[name[len("refs/tags/") :].removesuffix("^{}")] = sha
    return resolve(target, heads, tags, head)


def _snapshot(git: _Git, target: Target) -> str:
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
    files = size = 0
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            parts = PurePosixPath(info.filename).parts[1:]
            if ".." in parts or "\\" in info.filename or "\0" in info.filename:
                raise CannotVerifyError(f"the tree holds an unsafe name: {info.filename!r}")
            size += info.file_size
            files += 1
            _refuse_size(files, size)
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
