"""Render the files under ``templates/`` in memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from hubpub.scaffold.answers import Answers


@dataclass(frozen=True)
class PlannedFile:
    """A file to write. ``path`` is relative to the repository root, with forward slashes.

    A ``companion`` is a file that a repository often has before hubpub comes: one that is there
    is kept and the others are written all the same. Any other file in the way stops everything.
    ``like`` holds the lower-case beginnings of the names that count as the same companion.
    """

    path: str
    text: str
    like: tuple[str, ...] = ()

    @property
    def companion(self) -> bool:
        """Whether the user's own file of this kind is as good."""
        return bool(self.like)


_COMPANIONS = {"README.md": ("readme",), "LICENSE": ("license", "licence", "copying")}


def templates() -> Path:
    """The folder of the templates: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def plan(answers: Answers) -> tuple[PlannedFile, ...]:
    """Every file of a new publisher, rendered, sorted by path."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (Python and Markdown, and every answer is a checked name)
    )
    values = dataclasses.asdict(answers)
    root = templates()
    planned = []
    for source in sorted(root.rglob("*")):
        apart = source.relative_to(root).parts[0] in {"existing", "kinds", "around"}
        if apart or not source.is_file() or "__pycache__" in source.parts:
            continue
        path = environment.from_string(source.relative_to(root).as_posix()).render(values)
        text = environment.from_string(source.read_text(encoding="utf-8")).render(values)
        planned.append(PlannedFile(path, text, _COMPANIONS.get(path, ())))
    return tuple(sorted(planned, key=lambda file: file.path))
