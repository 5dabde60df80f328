"""A repository that publishes already: what would be better, as a patch; and any plan as a diff."""

from __future__ import annotations

import base64
import hashlib
import re
import string
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from hubpub import config
from hubpub.errors import UsageError
from hubpub.scaffold import existing
from hubpub.scaffold.answers import Answers
from hubpub.scaffold.looking import Found
from hubpub.scaffold.rendering import PlannedFile
from hubpub.scaffold.writing import CopiedFile, Outcome, look_around, write
from hubpub.source.facts import Repo
from hubpub.source.patch import patch
from hubpub.source.text import Text, of

_NO_EXAMPLE = "HUB606"
"""The rule that asks for an example in a README."""
_MARKED = (".md", ".markdown")


@dataclass(frozen=True)
class Proposal:
    """What a patch would do: ``changed`` maps paths to texts before and after.

    ``new`` are files to add. ``mended`` counts the findings that are gone then, ``left`` those that
    stay; ``remarks`` say what could not be proposed.
    """

    changed: Mapping[str, tuple[Text, str]] = field(default_factory=lambda: MappingProxyType({}))
    new: tuple[PlannedFile | CopiedFile, ...] = ()
    mended: int = 0
    left: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to propose."""
        return not self.changed and not self.new


def propose(root: Path, found: Found, answers: Answers) -> Proposal:
    """What check can mend, a README section, and the chosen pieces that are missing.

    Raises:
        ConfigError: the settings of the repository are broken.
    """
    from hubpub.check import fix

    settings = config.load(root)
    fixed = fix(root, settings, write=False, unsafe=True)
    repo = fixed.result.repo
    changed = dict(fixed.changed)
    remarks = list(fixed.problems)
    new: list[PlannedFile | CopiedFile] = []
    unshown = any(item.code == _NO_EXAMPLE for item in fixed.result.diagnostics)
    if unshown and "readme" in answers.around:
        _show(root, found, answers, repo, changed, new, remarks)
    there = {"licence"} if found.licensed else set()
    # A hubpub.toml would hide what stands in pyproject.toml.
    there |= {"settings"} if settings.path is not None else set()
    declared = () if repo.hubconf is None else repo.hubconf.dependencies.names
    wanted = replace(
        answers,
        around=answers.around - there,
        dependencies=tuple(
            name for name in sorted(declared) if name.isidentifier() and name != "torch"
        ),
    )
    survey = look_around(root, _absent(root, existing.plain_pieces(wanted), remarks))
    new += survey.wanted
    return Proposal(
        MappingProxyType(dict(sorted(changed.items()))),
        tuple(sorted(new, key=lambda file: file.path)),
        fixed.applied,
        len(fixed.result.diagnostics),
        tuple(dict.fromkeys(remarks)),
    )


def _absent(
    root: Path, files: Sequence[PlannedFile], remarks: list[str]
) -> tuple[PlannedFile, ...]:
    """The files of which the repository has none; of the others it is said that they stay."""
    absent = []
    for file in files:
        if (root / file.path).exists() or (root / file.path).is_symlink():
            remarks.append(f"{file.path} is there, and stays as it is")
        else:
            absent.append(file)
    return tuple(absent)


def _show(
    root: Path,
    found: Found,
    answers: Answers,
    repo: Repo,
    changed: dict[str, tuple[Text, str]],
    new: list[PlannedFile | CopiedFile],
    remarks: list[str],
) -> None:
    """Propose an example of loading, where no README has one."""
    names = [item.name for item in repo.entrypoints if not item.leak and not item.required]
    if not names:
        remarks.append("no entrypoint can be loaded without arguments: no example is proposed")
        return
    assert repo.hubconf is not None  # noqa: S101 - the rule finds nothing without one
    load = 'torch.hub.load("{}/{}:{}", "{}", trust_repo=True)'
    shown = [load.format(answers.owner, answers.repo, answers.tag, name) for name in names]
    values = {
        "repo": answers.repo,
        "tag": answers.tag,
        "description": answers.description,
        "dependencies": sorted(filter(str.isidentifier, repo.hubconf.dependencies.names)),
        "entries": [{"load": line} for line in shown],
    }
    if found.readme is None:
        new.append(PlannedFile("README.md", existing.readme(values), ("readme",)))
        return
    text = changed[found.readme][0] if found.readme in changed else _text(root / found.readme)
    if text is None or not found.readme.lower().endswith(_MARKED):
        remarks.append(f"show in {found.readme}: {shown[0]}")
        return
    after = changed[found.readme][1] if found.readme in changed else text.text
    changed[found.readme] = (
        text,
        _with_section(after, existing.render("existing/section.md", values)),
    )


def _text(place: Path) -> Text | None:
    try:
        return of(place.read_bytes().decode())
    except (OSError, ValueError):
        return None


_END = re.compile(r"(?im)^#{1,6}[ \t]+(?:licen[cs]e|citation|citing|acknowledg)")


def _with_section(text: str, section: str) -> str:
    """``text`` with a section more: before the licence and the like, or at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    section = section.replace("\n", newline)
    match = _END.search(text)
    if match is None:
        gap = "" if not text or text.endswith(newline * 2) else newline
        ended = "" if not text or text.endswith("\n") else newline
        return f"{text}{ended}{gap}{section}"
    return f"{text[: match.start()]}{section}{newline}{text[match.start() :]}"


def apply(root: Path, proposal: Proposal, stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """Write what is proposed: the new files together, then each changed file whole.

    Raises:
        UsageError: a file cannot be written, or has changed since it was read. What had been
            written is as it was before.
        KeyboardInterrupt: ``stopped`` said so; nothing has changed.
    """
    from hubpub.source import edits

    for path, (before, _) in proposal.changed.items():
        reason = edits.obstacle(root, path, before)
        if reason is not None:
            raise UsageError(f"{path} cannot be changed: {reason}", help="nothing was written")
    done: list[str] = []
    try:
        _change(root, proposal, done, stopped)
        outcome = write(root, proposal.new, stopped)
    except BaseException:
        for path in done:
            before, after = proposal.changed[path]
            edits.write(root, path, of(after, before.encoding, bom=before.bom), before.text)
        raise
    return replace(outcome, written=tuple(sorted({*outcome.written, *proposal.changed})))


def _change(root: Path, proposal: Proposal, done: list[str], stopped: Callable[[], bool]) -> None:
    from hubpub.source import edits

    for path, (before, after) in proposal.changed.items():
        if stopped():
            raise KeyboardInterrupt
        problem = edits.write(root, path, before, after)
        if problem is not None:
            raise UsageError(f"{path} was not changed: {problem}", help="nothing was written")
        done.append(path)


def diff(proposal: Proposal, prefix: str = "") -> bytes:
    """The proposal as ``git apply`` takes it; ``prefix`` is the way to the root, with a slash.

    Files that are copies of others are not in it: a patch of gigabytes helps nobody.
    """
    parts = [
        patch(f"{prefix}{path}", before.encode(before.text), before.encode(after))
        for path, (before, after) in proposal.changed.items()
    ]
    parts += [
        created(f"{prefix}{file.path}", file.content, binary=file.data is not None)
        for file in proposal.new
        if isinstance(file, PlannedFile)
    ]
    return b"".join(parts)


def created(path: str, data: bytes, *, binary: bool = False) -> bytes:
    """A new file as a diff; an empty one has a header alone."""
    # The names as patch() quotes them, here those of a text that is never empty.
    old, new, _ = patch(path, b"", b"-").split(b"\n", 2)
    name = new.removeprefix(b"+++ ").rstrip(b"\t")
    first = old.removeprefix(b"--- ").rstrip(b"\t")
    head = b"diff --git " + first + b" " + name + b"\nnew file mode 100644\n"
    if binary:
        return head + _literal(data)
    shown = patch(path, b"", data)
    return head + (b"--- /dev/null\n" + shown.split(b"\n", 1)[1] if shown else b"")


def _literal(data: bytes) -> bytes:
    """Bytes as git writes them into a patch (gitformat-patch: "GIT binary patch")."""
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    packed = zlib.compress(data)
    lines = [packed[start : start + 52] for start in range(0, len(packed), 52)]
    marks = string.ascii_uppercase + string.ascii_lowercase
    body = "".join(
        f"{marks[len(line) - 1]}{base64.b85encode(line, pad=True).decode()}\n" for line in lines
    )
    return f"index {'0' * 40}..{blob}\nGIT binary patch\nliteral {len(data)}\n{body}\n".encode()


def copies(proposal: Proposal) -> Iterator[tuple[str, Path]]:
    """What the diff leaves out: the paths of new files with what each is a copy of."""
    for file in proposal.new:
        if isinstance(file, CopiedFile):
            yield file.path, file.source
