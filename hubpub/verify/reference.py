"""``owner/repo[:ref]`` exactly as torch.hub reads it, and the ref that it would take.

Source of the behaviour: ``torch.hub._parse_repo_info`` and ``_validate_not_a_forked_repo`` (2.13).
Where torch would fail with a bare ``ValueError``, this says which form to use.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hubpub.errors import CannotVerifyError, UsageError
from hubpub.verify import pasted

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_REF = re.compile(
    r"(?!-)(?!/)(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|/$|\.$))[^\x00-\x20\x7f~^:?*\[\\]+"
)
_MOST_REF = 250
_SUCH_AS = "such as pytorch/vision:v0.20.1"
_SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Target:
    """What to verify. ``path`` is set for a local repository; ``ref`` is as the user gave it."""

    owner: str
    repo: str
    ref: str | None
    path: Path | None = None
    working_tree: bool = False


@dataclass(frozen=True)
class Resolved:
    """The ref torch.hub takes: ``kind`` is tag, branch, commit or worktree.

    ``refname`` is what git fetches (``refs/tags/v1.0``); ``remarks`` are findings about the choice.
    """

    ref: str
    kind: str
    refname: str
    remarks: tuple[tuple[str, str], ...] = ()


def parse(text: str, *, working_tree: bool = False) -> Target:
    """Read TARGET: a path (``.``, ``/x``, ``./x``, ``~/x``, each with ``:ref``), or ``owner/repo``.

    Raises:
        UsageError: torch.hub cannot read it; the message gives the form to use.
    """
    name = text.partition(":")[0]
    is_path = name.startswith((".", "/", "~"))
    if is_path or (name and "/" not in name and Path(name).is_dir()):
        return _local(text, working_tree)
    if working_tree:
        raise UsageError(f"--working-tree needs a local path, not {pasted.shown(text)!r}")
    use = _use(text)
    if pasted.is_url(text):
        raise UsageError(
            f"{pasted.shown(text)!r} is a URL, which torch.hub cannot load", help=use or _SUCH_AS
        )
    name, colon, ref = text.partition(":")
    parts = name.split("/")
    if len(parts) != 2 or not all(map(_NAME.fullmatch, parts)):
        raise UsageError(f"{text!r} is no owner/repo[:ref]", help=use or _SUCH_AS)
    if parts[1].endswith(".git"):
        raise UsageError(
            f"{text!r}: torch.hub sends '.git' to GitHub as part of the name", help=use or _SUCH_AS
        )
    if colon and not ref:
        raise UsageError(
            f"{text!r} has an empty ref, which torch.hub takes for a ref called ''",
            help=f"name a tag ({name}:v1.0), or drop the colon",
        )
    return Target(parts[0], parts[1], _checked(ref) if ref else None)


def _use(text: str) -> str | None:
    """The form to use for ``text``, where one can be told that is right itself."""
    found = pasted.meant(text)
    if found is None:
        return None
    name, _, ref = found.partition(":")
    if not all(map(_NAME.fullmatch, name.split("/"))) or name.endswith(".git"):
        return None
    return f"use {name}:{ref}" if ref and _is_ref(ref) else f"use {name}"


def _local(text: str, working_tree: bool) -> Target:
    name, colon, ref = text.partition(":")
    if colon and not ref:
        raise UsageError(
            f"{text!r} has an empty ref", help=f"name one ({name}:v1.0), or drop the colon"
        )
    path = Path(os.path.expanduser(name))  # noqa: PTH111 - pathlib's raises for "~nobody"
    if not path.is_dir():
        raise UsageError(f"{name!r} is not a directory", help="or is it owner/repo:ref?")
    if working_tree and ref:
        raise UsageError("--working-tree takes the files as they are, so no ref goes with it")
    path = path.resolve()
    above = next((folder for folder in path.parents if (folder / ".git").exists()), None)
    if not working_tree and above is not None and not (path / ".git").exists():
        bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
        if not bare:
            raise UsageError(
                f"{name!r} is a folder of the repository {str(above)!r}, "
                "and torch.hub reads hubconf.py at a repository's root",
                help=f"hubpub verify {above}",
            )
    repo = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).strip("-.") or "repository"
    return Target("local", repo, _checked(ref) if ref else None, path, working_tree)


def _is_ref(ref: str) -> bool:
    return bool(_REF.fullmatch(ref)) and len(ref) <= _MOST_REF


def _checked(ref: str) -> str:
    if ":" in ref:
        raise UsageError(f"{ref!r}: torch.hub splits at every ':', so a ref cannot hold one")
    if not _is_ref(ref):
        raise UsageError(f"{ref!r} is not a git ref", help="a branch or tag name, such as v1.0")
    return ref


def resolve(
    target: Target,
    heads: Mapping[str, str],
    tags: Mapping[str, str],
    head: str | None,
    head_commit: str | None = None,
) -> Resolved:
    """The ref that ``torch.hub.load`` would take among a repository's branches and tags.

    Args:
        target: what was asked for.
        heads: branch name -> commit.
        tags: tag name -> commit (peeled).
        head: the branch that HEAD names; used for a local path without a ref.
        head_commit: the commit that HEAD is, also where it names no branch.

    Raises:
        CannotVerifyError: no such ref, or one that torch.hub refuses.
    """
    if target.ref is None:
        return _default(target, heads, tags, head, head_commit)
    ref = target.ref
    if ref in heads:
        return _branch(ref, tags)
    if ref in tags:
        return Resolved(ref, "tag", f"refs/tags/{ref}")
    if _SHA.fullmatch(ref):
        return _commit(target, ref, heads, tags)
    raise CannotVerifyError(
        f"{_say(target)} has no branch or tag {ref!r}",
        help=_near(target, ref, heads, tags) or _newest(tags),
    )


def _branch(ref: str, tags: Mapping[str, str]) -> Resolved:
    remarks: tuple[tuple[str, str], ...] = ()
    if ref in tags:
        text = f"{ref!r} is a branch and a tag; torch.hub takes the branch, which moves"
        remarks = (("ambiguous-ref", text),)
    return Resolved(ref, "branch", f"refs/heads/{ref}", remarks)


def _default(
    target: Target,
    heads: Mapping[str, str],
    tags: Mapping[str, str],
    head: str | None,
    head_commit: str | None,
) -> Resolved:
    if target.path is not None:
        if head in heads:
            return Resolved(str(head), "branch", f"refs/heads/{head}")
        if head is None and head_commit is not None:
            # As CI systems check out a tag or a pull request.
            return Resolved(head_commit, "commit", "HEAD")
        raise CannotVerifyError(f"{_say(target)} has no commit on a branch", help="commit first")
    taken = next((name for name in ("main", "master") if name in heads), None)
    if taken is None:
        such = f", such as the default branch {_say(target)}:{head}" if head in heads else ""
        raise CannotVerifyError(
            f"{_say(target)} has neither a main nor a master branch, "
            "and torch.hub asks for nothing else when no ref is given",
            help=f"verify a ref by name{such}: {_newest(tags)}",
        )
    found = _branch(taken, tags)
    if head is None or head == taken:
        return found
    text = f"the default branch is {head!r}, but torch.hub takes {taken!r} when no ref is given"
    return replace(found, remarks=(("default-branch", text), *found.remarks))


def _commit(
    target: Target, ref: str, heads: Mapping[str, str], tags: Mapping[str, str]
) -> Resolved:
    """A commit is taken by torch.hub only where it is the tip of a branch or of a tag."""
    at_tags = {name: sha for name, sha in tags.items() if sha.startswith(ref)}
    at_heads = {name: sha for name, sha in heads.items() if sha.startswith(ref)}
    ends = {sha: name for name, sha in (*at_heads.items(), *at_tags.items())}
    if not ends:
        raise CannotVerifyError(
            f"{ref!r} is not the tip of a branch or tag of {_say(target)}: torch.hub refuses it",
            help="make a tag of the commit and load that; " + _newest(tags),
        )
    if len(ends) > 1:
        names = " and ".join(repr(name) for name in sorted(ends.values())[:2])
        raise CannotVerifyError(f"{ref!r} starts the commits of {names}", help="give all of it")
    (sha,) = ends
    text = "pinned to a bare commit, which torch.hub takes only where a branch or tag ends there"
    loadable = [name for name in at_tags if name not in heads]  # else torch.hub takes the branch
    if loadable:
        tag = max(loadable, key=_version)
        text += f"; the tag {tag!r} is the same commit: use {_say(target)}:{tag}"
        return Resolved(sha, "commit", f"refs/tags/{tag}", (("commit-pin", text),))
    if at_heads:
        refname, name = "heads", next(iter(at_heads))
        text += f"; the branch {name!r} alone ends there, and it moves: make a tag of the commit"
    else:
        refname, name = "tags", next(iter(at_tags))
        text += f"; the tag {name!r} does, and there is a branch of that name: make another tag"
    return Resolved(sha, "commit", f"refs/{refname}/{name}", (("commit-pin", text),))


def _near(
    target: Target, ref: str, heads: Mapping[str, str], tags: Mapping[str, str]
) -> str | None:
    """The form to use where ``ref`` is another spelling of a branch or tag."""
    if ref == "HEAD" and "main" in heads:
        return f"use {_say(target)}, which is main"
    plain = re.sub(r"^(?:refs/)?(?:heads|tags|remotes/origin|origin)/", "", ref)
    for name in (*tags, *heads):
        if name.casefold() in {plain.casefold(), f"v{plain}".casefold()}:
            return f"use {_say(target)}:{name}"
    return None


def _say(target: Target) -> str:
    return str(target.path) if target.path is not None else f"{target.owner}/{target.repo}"


def _newest(tags: Mapping[str, str]) -> str:
    """The tags a reader would try, the highest version last."""
    names = sorted(tags, key=_version)
    return f"tags: {', '.join(names[-5:])}" if names else "it has no tags"


def _version(name: str) -> list[int]:
    """What orders the names of releases."""
    return [int(part) for part in re.findall(r"[0-9]{1,9}", name)[:4]]
