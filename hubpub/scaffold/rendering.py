"""Render the files under ``templates/`` in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubpub import __version__
from hubpub.errors import UsageError
from hubpub.scaffold.answers import Answers
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES

if TYPE_CHECKING:
    from jinja2 import Environment

_SHARED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "classifier": ("package", "network", "release"),
        "in-tree": ("package", "network"),
        "family": ("package", "network", "release"),
        "reexport": ("package", "network", "release"),
        "helpers": ("package", "release"),
        "torchscript": (),
        "custom": ("package", "network"),
    }
)
"""Kind -> the folders of ``templates/shared`` that it is made of, beside its own."""
_PART = ".part."
"""In the name of what other templates include, and what is no file of its own."""
_COMPANIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "README.md": ("readme",),
        "LICENSE": ("license", "licence", "copying"),
        "CITATION.cff": ("citation.cff",),
        ".pre-commit-config.yaml": (".pre-commit-config",),
        "hubpub.toml": ("hubpub.toml",),
    }
)


@dataclass(frozen=True)
class PlannedFile:
    """A file to write. ``path`` is relative to the repository root, with forward slashes.

    A ``companion`` is a file that a repository often has before hubpub comes: one that is there
    is kept and the others are written all the same. Any other file in the way stops everything.
    ``like`` holds the lower-case beginnings of the names that count as the same companion.
    ``data`` is what a file holds that is no text, such as a checkpoint; ``text`` is empty then.
    """

    path: str
    text: str
    like: tuple[str, ...] = ()
    data: bytes | None = None

    @property
    def companion(self) -> bool:
        """Whether the user's own file of this kind is as good."""
        return bool(self.like)

    @property
    def content(self) -> bytes:
        """The bytes to write: text is UTF-8, its lines ended as the templates' are."""
        return self.text.encode() if self.data is None else self.data


def templates() -> Path:
    """The folder of the templates: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def plan(answers: Answers, called: str | None = None) -> tuple[PlannedFile, ...]:
    """Every file of a new publisher, rendered, sorted by path.

    Args:
        answers: what is asked for.
        called: the template of what the settings say of calls; None for that of the kind.

    Raises:
        UsageError: there is no such kind, piece or licence, or an entrypoint has the name of
            another that its kind brings.
    """
    _require_known(answers)
    root, environment, values = templates(), _environment(), _values(answers)
    values["called"] = called or f"kinds/{answers.kind}/settings.part.toml"
    planned = []
    for source, name in _sources(root, answers):
        path = environment.from_string(name).render(values)
        like = _COMPANIONS.get(path, ())
        content = source.read_bytes()
        if b"\0" in content:
            planned.append(PlannedFile(path, "", like, content))
        else:
            template = environment.get_template(source.relative_to(root).as_posix())
            planned.append(PlannedFile(path, template.render(values), like))
    return tuple(sorted(planned, key=lambda file: file.path))


def use_section(answers: Answers) -> str:
    """The part of a README that shows how to load what ``answers`` describe, without a heading."""
    _require_known(answers)
    part = f"kinds/{answers.kind}/use.part.md"
    return _environment().get_template(part).render(_values(answers))


def _require_known(answers: Answers) -> None:
    for what, word, known in (
        ("kind", answers.kind, KINDS),
        ("licence", answers.licence, LICENCES),
        *(("piece", piece, PIECES) for piece in sorted(answers.around)),
    ):
        if word not in known:
            raise UsageError(f"there is no {what} {word!r}", help=f"one of {', '.join(known)}")
    if answers.kind == "custom" and answers.entrypoint == "custom":
        raise UsageError(
            "the entrypoint 'custom' is the one that takes a user's checkpoint",
            help="choose another --entrypoint for the network itself",
        )


def _environment() -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 (Python and Markdown, and every answer is a checked name)
    )


def _values(answers: Answers) -> dict[str, object]:
    """What templates may ask for: each field of the answers, and hubpub's own version."""
    return dataclasses.asdict(answers) | {"hubpub_version": __version__}


def _sources(root: Path, answers: Answers) -> Iterator[tuple[Path, str]]:
    """Each template that the answers ask for, with the path it gets, not rendered yet."""
    folders = [root / "shared" / name for name in _SHARED[answers.kind]]
    for folder in (*folders, root / "kinds" / answers.kind):
        for source, path in _files(folder):
            # The smoke test goes with the kind, and is a piece all the same.
            if "test" in answers.around or not path.startswith("tests/"):
                yield source, path
    for piece in answers.around - {"test", "licence"}:
        yield from _files(root / "around" / piece)
    if "licence" in answers.around:
        yield root / "around" / "licence" / answers.licence, "LICENSE"


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    for source in sorted(folder.rglob("*")):
        written = source.is_file() and _PART not in source.name
        if written and "__pycache__" not in source.parts:
            yield source, source.relative_to(folder).as_posix()
