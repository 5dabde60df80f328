"""What is not Python: README and docs, .git's own files, checkpoints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from hubpub.diagnostic import Span
from hubpub.source import facts
from hubpub.source.files import Files
from hubpub.source.text import Text, Unreadable, decode

MAX_DOCUMENT = 2 << 20
"""Documents larger than this are not read (bytes)."""
MAX_DOCUMENTS = 300

_CALL = re.compile(r"\b(?:torch\.)?hub\.(load|list|help)\s*\(")


def documents(paths: Sequence[str]) -> list[str]:
    """README files, notebooks, and what lies below docs: what may show how to load."""
    return [path for path in paths if _is_document(path.lower())][:MAX_DOCUMENTS]


def _is_document(path: str) -> bool:
    name = path.rpartition("/")[2]
    if path.endswith(".ipynb"):
        return path.count("/") <= 2
    if not path.endswith((".md", ".rst", ".markdown")):
        return False
    named = name.startswith("readme") and path.count("/") <= 2
    return path.count("/") == 0 or path.startswith(("docs/", "doc/")) or named


def read(files: Files, path: str) -> Text | None:
    """The text of a document; None where there is none. Bytes that are not UTF-8 are replaced."""
    data = files.data(path, MAX_DOCUMENT)
    if isinstance(data, Unreadable):
        return None
    text = decode(data)
    if isinstance(text, Unreadable):
        text = decode(data.replace(b"\0", b" ").decode("utf-8", "replace").encode())
    return None if isinstance(text, Unreadable) else text


def examples(path: str, text: Text) -> Iterator[facts.HubCall]:
    """The ``torch.hub`` calls that a document shows, wherever they stand in it.

    Of a Python file, those in its triple-quoted strings: examples in docstrings.
    """
    shown = text.text
    if path.endswith(".ipynb"):
        shown = _plain_notebook(shown)
    elif path.endswith(".py"):
        shown = _only_docstrings(shown)
    for match in _CALL.finditer(shown):
        end = _closing(shown, match.end() - 1)
        if end is None:
            continue
        node = _parse(shown[match.start() : end])
        if node is not None:
            yield _example(path, text, match, end, node)


_LOADERS = {
    "repo_or_dir", "github", "model", "entrypoint", "source", "trust_repo", "force_reload",
    "verbose", "skip_validation",
}  # fmt: skip
"""The parameters of ``torch.hub.load`` itself, old spellings included."""
_CELL_LINE = re.compile(r'^(\s*)"((?:[^"\\]|\\.)*)"(,?[ \t]*)$', re.MULTILINE)


def _plain_notebook(text: str) -> str:
    """The source lines of a notebook without their JSON quoting, every character in its place."""

    def line(match: re.Match[str]) -> str:
        parts = re.sub(r"\\n$", "  ", match.group(2)).split('\\"')
        # A quote that opens a string goes to the second of its two places, one that closes to the
        # first, so that no space gets into the string.
        content = parts[0]
        for index, part in enumerate(parts[1:]):
            content += ('" ' if index % 2 else ' "') + part
        return f"{match.group(1)} {content} {' ' * len(match.group(3))}"

    return _CELL_LINE.sub(line, text)


_TRIPLE = re.compile(r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|#[^\n]*', re.DOTALL)


def _only_docstrings(text: str) -> str:
    """A module with blanks for everything but its triple-quoted strings, all in their places."""
    kept = [" " if char not in "\r\n" else char for char in text]
    for match in _TRIPLE.finditer(text):
        if not match.group().startswith("#"):
            kept[match.start() + 3 : match.end() - 3] = match.group()[3:-3]
    return "".join(kept)


def _closing(text: str, start: int, limit: int = 3000) -> int | None:
    """The offset after the parenthesis that closes the one at ``start``."""
    depth, quote = 0, ""
    for offset in range(start, min(start + limit, len(text))):
        char = text[offset]
        if quote:
            quote = "" if char == quote and text[offset - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return offset + 1
    return None


def _parse(code: str) -> ast.Call | None:
    lines = [re.sub(r"^\s*(?:>>>|\.\.\.|>|\$)", "", line) for line in code.splitlines()]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            node = ast.parse("\n".join(lines).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return node if isinstance(node, ast.Call) else None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _example(
    path: str, text: Text, match: re.Match[str], end: int, node: ast.Call
) -> facts.HubCall:
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    positional = dict(enumerate(node.args))
    target = _text(named.get("repo_or_dir") or named.get("github") or positional.get(0))
    entry = _text(named.get("model") or named.get("entrypoint") or positional.get(1))
    repository, ref = _split(target) if target is not None else (None, None)
    literal = None
    if target is not None:
        offset = text.text.find(target, match.end(), end)
        literal = _place(path, text, offset, offset + len(target)) if offset >= 0 else None
    trust, skip = named.get("trust_repo"), named.get("skip_validation")
    elided = any(isinstance(item, ast.Constant) and item.value is ... for item in node.args)
    return facts.HubCall(
        function=match.group(1),
        repository=repository,
        ref=ref,
        entrypoint=entry,
        trusted=elided or (isinstance(trust, ast.Constant) and trust.value is True),
        local=(_text(named.get("source")) or "").lower() == "local",
        skip_validation=isinstance(skip, ast.Constant) and skip.value is True,
        place=_place(path, text, match.start(), end),
        literal=literal,
        document=True,
        passes=len(node.args) > 2 or bool(named.keys() - _LOADERS),
        written=not any(item.arg is None for item in node.keywords)
        and not any(isinstance(item, ast.Starred) for item in node.args),
    )


def _split(target: str) -> tuple[str | None, str | None]:
    from hubpub.source.reached import split

    return split(target)


def _place(path: str, text: Text, begin: int, end: int) -> facts.Place:
    return facts.Place(path, Span(*text.position(begin), *text.position(end)))


def checkpoints(files: Files, paths: Sequence[str]) -> tuple[facts.CheckpointFile, ...]:
    """Files that look like checkpoints, with their sizes."""
    found = []
    for path in paths:
        if path.lower().endswith(facts.CHECKPOINT_SUFFIXES):
            size = files.size(path)
            if size is not None:
                found.append(facts.CheckpointFile(path, size))
    return tuple(found)


_LICENCE = re.compile(r"(?:un)?licen[cs]e|copying|licenses/", re.IGNORECASE)
_NAMED_LICENCE = re.compile(rb"(?m)^\s*licen[cs]e\s*=|License ::")


def licensed(files: Files, paths: Sequence[str]) -> bool:
    """Whether a licence file lies at the root, or a packaging file names a licence."""
    if any(_LICENCE.match(path) for path in paths if path.count("/") <= 1):
        return True
    for path in ("pyproject.toml", "setup.cfg", "setup.py"):
        data = files.data(path, 1 << 20) if path in paths else b""
        if not isinstance(data, Unreadable) and _NAMED_LICENCE.search(data):
            return True
    return False
