"""Find the networks of a package: classes below ``torch.nn.Module``, read and never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hubpub.source import modules
from hubpub.source.files import Files
from hubpub.source.text import Unreadable

MAX_FILES = 500
"""So many Python files are looked into."""
ROOTS = frozenset(
    {
        "torch.nn.Module", "torch.nn.Sequential", "torch.nn.modules.Module",
        "torch.nn.modules.module.Module", "torch.nn.ModuleList", "torch.nn.ModuleDict",
    }
)  # fmt: skip
"""Classes whose subclasses are networks or parts of them."""
_LAYER = re.compile(r"torch\.nn\.(?:modules\.\w+\.)?(?!Parameter|Buffer|Uninit)[A-Z]\w*\Z")
"""A layer of torch's own; what is made of one alone is mostly a part."""
_TRAINED_BY = ("pytorch_lightning.", "lightning.")
"""Packages whose modules hold a network for its training: the network itself is what is wanted."""
_FAMILIES = ("torchvision.models.", "timm.models.", "segmentation_models_pytorch.", "transformers.")
"""Packages of networks: a class made of one of theirs is one."""
_ELSEWHERE = re.compile(
    r"(?:^|/)(?:tests?|testing|docs?|examples?|benchmarks?|build|dist|notebooks?|third_?party|"
    r"\.[^/]*)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|setup|hubconf)\.py$"
)
_PART = re.compile(r"(?:Loss|Block|Layer|Head|Norm|Attention|Embedding|Embed|Mlp|MLP)\Z")
"""How the names of parts end."""


@dataclass(frozen=True)
class Argument:
    """A parameter of a constructor.

    ``keyword``: it can only be given by name. ``annotation`` and ``default`` are as they are
    written, empty and None where there is none; ``literal``: the default is a plain value, which
    can be repeated elsewhere. ``words`` are what the docstrings say of it, on one line.
    """

    name: str
    annotation: str
    default: str | None
    keyword: bool
    literal: bool
    words: str = ""


@dataclass(frozen=True)
class ModelClass:
    """A network: ``module`` is how it is imported, ``path`` and ``line`` where it stands.

    ``summary`` and ``forward`` are the first paragraphs of its docstring and of its ``forward``'s,
    on one line. ``open``: the constructor also takes ``*args`` or ``**kwargs``. ``part``: other
    networks are made of it, as far as can be seen.
    """

    name: str
    module: str
    path: str
    line: int
    arguments: tuple[Argument, ...] = ()
    summary: str = ""
    forward: str = ""
    open: bool = False
    part: bool = False

    @property
    def dotted(self) -> str:
        """The class with its module."""
        return f"{self.module}.{self.name}"


@dataclass
class _Module:
    """One file: the names that it imports, and its classes."""

    path: str
    module: str
    names: dict[str, str] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)


def find(files: Files, paths: Sequence[str]) -> tuple[ModelClass, ...]:
    """The networks among the Python files ``paths``; those that others are made of come last."""
    read = [
        found
        for path in [path for path in paths if _is_code(path)][:MAX_FILES]
        if (found := _read(files, path)) is not None
    ]
    known = {item.module: item for item in read}
    networks = [
        (item, node)
        for item in read
        for node in item.classes.values()
        if not node.name.startswith("_") and _is_network(item, node.name, known)
    ]
    inside = {
        name
        for item, node in networks
        if not _has(item, node.name, known, _TRAINED_BY)
        for name in _made(item, node, known)
    }
    models = [_model(item, node, known, inside) for item, node in networks]
    return tuple(sorted(models, key=lambda item: (item.part, item.path, item.line)))


def module_name(path: str) -> str:
    """How the file ``path`` is imported; a folder ``src`` at the root is left out."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_code(path: str) -> bool:
    named = all(part.isidentifier() for part in path.removesuffix(".py").split("/"))
    return path.endswith(".py") and named and _ELSEWHERE.search(path) is None


def _read(files: Files, path: str) -> _Module | None:
    text = files.text(path)
    tree = text if isinstance(text, Unreadable) else modules.parse(text)
    if isinstance(tree, Unreadable):
        return None
    found = _Module(path, module_name(path))
    package = found.module if path.endswith("__init__.py") else found.module.rpartition(".")[0]
    for statement in _statements(tree.body):
        if isinstance(statement, ast.ClassDef):
            found.classes[statement.name] = statement
            found.names[statement.name] = f"{found.module}.{statement.name}"
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                bound = alias.asname or alias.name.partition(".")[0]
                found.names[bound] = alias.name if alias.asname else bound
        elif isinstance(statement, ast.ImportFrom):
            origin = _origin(package, statement)
            for alias in statement.names:
                found.names[alias.asname or alias.name] = f"{origin}.{alias.name}".lstrip(".")
    return found


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, and those that stand under ``if`` and ``try``."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _statements([*statement.body, *statement.orelse])


def _origin(package: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    kept = parts[: len(parts) - statement.level + 1]
    return ".".join([*kept, *([statement.module] if statement.module else [])])


def _dotted(item: _Module, node: ast.expr) -> str:
    """The full name that an expression of names and dots stands for; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Subscript):  # Generic[...]
        return ""
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([item.names.get(node.id, node.id), *reversed(parts)])


def _resolve(
    name: str, known: Mapping[str, _Module], depth: int = 0
) -> tuple[_Module, ast.ClassDef] | None:
    """The class of the repository that a full name means, through re-exports of packages."""
    module, _, last = name.rpartition(".")
    item = known.get(module)
    if item is None or depth > 10:
        return None
    if last in item.classes:
        return item, item.classes[last]
    target = item.names.get(last)
    return None if target in {None, name} else _resolve(str(target), known, depth + 1)


def _lineage(
    item: _Module, name: str, known: Mapping[str, _Module]
) -> Iterator[tuple[_Module, ast.ClassDef] | str]:
    """A class of the repository with its ancestors, nearest first; foreign ones by name."""
    queue: list[tuple[_Module, ast.ClassDef] | str] = [(item, item.classes[name])]
    seen: set[int] = set()
    while queue:
        current = queue.pop(0)
        yield current
        if isinstance(current, str):
            continue
        owner, node = current
        if id(node) in seen:
            continue
        seen.add(id(node))
        for expression in node.bases:
            dotted = _dotted(owner, expression)
            queue.append(_resolve(dotted, known) or dotted)


def _is_network(item: _Module, name: str, known: Mapping[str, _Module]) -> bool:
    lineage = list(_lineage(item, name, known))
    foreign = [one for one in lineage if isinstance(one, str)]
    if any(one in ROOTS or _LAYER.match(one) for one in foreign):
        return True
    return _has(item, name, known, _FAMILIES) or _has(item, name, known, _TRAINED_BY)


def _is_whole(item: _Module, name: str, known: Mapping[str, _Module]) -> bool:
    """Whether a class is more than a layer of torch's own with another name."""
    foreign = [one for one in _lineage(item, name, known) if isinstance(one, str)]
    return any(one in ROOTS for one in foreign) or _has(item, name, known, _FAMILIES)


def _has(item: _Module, name: str, known: Mapping[str, _Module], begin: tuple[str, ...]) -> bool:
    """Whether a class has a foreign ancestor whose full name begins so."""
    return any(
        isinstance(one, str) and one.startswith(begin) for one in _lineage(item, name, known)
    )


def _made(item: _Module, node: ast.ClassDef, known: Mapping[str, _Module]) -> Iterator[str]:
    """The classes of the repository that the methods of a class name, itself aside."""
    for statement in node.body:
        for inner in ast.walk(statement):
            if isinstance(inner, (ast.Name, ast.Attribute)):
                found = _resolve(_dotted(item, inner), known)
                if found is not None and found[1] is not node:
                    yield f"{found[0].module}.{found[1].name}"


def _model(
    item: _Module, node: ast.ClassDef, known: Mapping[str, _Module], inside: set[str]
) -> ModelClass:
    lineage = [one for one in _lineage(item, node.name, known) if not isinstance(one, str)]
    methods = {
        method.name: method
        for _, one in reversed(lineage)
        for method in one.body
        if isinstance(method, ast.FunctionDef)
    }
    constructor, forward = methods.get("__init__"), methods.get("forward")
    said = "\n".join(ast.get_docstring(one) or "" for one in (node, constructor) if one is not None)
    takes = None if constructor is None else constructor.args
    return ModelClass(
        node.name,
        item.module,
        item.path,
        node.lineno,
        () if takes is None else tuple(_arguments(takes, said)),
        _summary(ast.get_docstring(node)),
        _summary(None if forward is None else ast.get_docstring(forward)),
        takes is not None and (takes.vararg is not None or takes.kwarg is not None),
        f"{item.module}.{node.name}" in inside
        or _PART.search(node.name) is not None
        or not _is_whole(item, node.name, known),
    )


def _arguments(arguments: ast.arguments, said: str) -> Iterator[Argument]:
    listed = [*arguments.posonlyargs, *arguments.args]
    missing = len(listed) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [*[None] * missing, *arguments.defaults]
    for one, default in list(zip(listed, defaults, strict=True))[1:]:
        yield _argument(one, default, said, keyword=False)
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _argument(one, default, said, keyword=True)


def _argument(one: ast.arg, default: ast.expr | None, said: str, *, keyword: bool) -> Argument:
    annotation = "" if one.annotation is None else ast.unparse(one.annotation)
    written = None if default is None else ast.unparse(default)
    if isinstance(default, ast.Constant) and isinstance(default.value, str):
        plain = default.value.isprintable() and not set(default.value) & set("\\\"'")
        written = f'"{default.value}"' if plain else written
    kind = r"(?:\([^)\n]{0,80}\))?"
    match = re.search(
        rf"^[ \t*-]*{re.escape(one.arg)}[ \t]*{kind}[ \t]*:[ \t]*(\S[^\n]{{0,200}})",
        said,
        re.MULTILINE,
    )
    words = match.group(1).strip() if match else ""
    return Argument(one.arg, annotation.strip("'\""), written, keyword, _is_literal(default), words)


def _is_literal(node: ast.expr | None) -> bool:
    if node is None:
        return False
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _summary(docstring: str | None) -> str:
    first = (docstring or "").strip().partition("\n\n")[0]
    return " ".join(first.split())[:200]
