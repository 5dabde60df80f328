"""The import system as torch.hub leaves it: the repository first on ``sys.path``."""

from __future__ import annotations

from dataclasses import dataclass

from hubpub.source import files as paths
from hubpub.source import hubconf, modules, tree
from hubpub.source.interpret import again, known, standard, statements
from hubpub.source.interpret.machine import (
    ROOT,
    ImportEvent,
    Machine,
    RaisedError,
    RelativeEvent,
)
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    UNBOUND,
    Absent,
    Choice,
    External,
    Items,
    Literal,
    Module,
    Native,
    Unknown,
    Value,
    join,
    string,
)
from hubpub.source.text import Unreadable


@dataclass(frozen=True, slots=True)
class Found:
    """A module in the tree: its file, empty for a namespace package; ``places`` hold submodules."""

    path: str
    places: tuple[str, ...] = ()


def find(machine: Machine, name: str, places: tuple[str, ...]) -> Found | None:
    """The module ``name`` (one part) below ``places``, as ``importlib``'s path finder looks."""
    portions = []
    for place in places:
        listing = machine.files.listing(place)
        directory = paths.join(place, name)
        if name in listing and machine.files.is_directory(directory):
            if "__init__.py" in machine.files.listing(directory):
                return Found(f"{directory}/__init__.py", (directory,))
            portions.append(directory)
        if f"{name}.py" in listing and machine.files.is_file(f"{directory}.py"):
            return Found(f"{directory}.py")
        if any(
            entry.startswith(f"{name}.") and entry.endswith((".so", ".pyd")) for entry in listing
        ):
            return Found("")
    return Found("", tuple(portions)) if portions else None


def top_level(machine: Machine, name: str) -> Found | None:
    """Where the tree holds the top-level module ``name``, unless something else comes first."""
    if name in known.LOADED or (standard.is_standard(name) and name not in standard.UNLOADED):
        return None
    found = find(machine, name, tuple(machine.path))
    if found is not None and not found.path and standard.is_standard(name):
        return None  # a folder without __init__.py loses against any module
    return found


def import_module(
    machine: Machine, name: str, scope: Scope, at: tree.At, *, quiet: bool = False
) -> Value:
    """Import the dotted ``name`` with all its parents and return the module itself."""
    parts = name.split(".")
    value: Value = UNBOUND
    for index in range(1, len(parts) + 1):
        dotted = ".".join(parts[:index])
        value = _load(machine, dotted, value, scope, at)
        if not isinstance(value, Module):
            break
    if isinstance(value, Module) and value.name == name:
        if not quiet:
            event(machine, name, "repository", scope, at, value.path)
        return value
    top = parts[0]
    if isinstance(value, Absent) and (top in machine.modules or top_level(machine, top)):
        event(machine, name, "missing", scope, at)
        if machine.guards:
            raise RaisedError("ModuleNotFoundError", f"No module named {name!r}", (scope.path, at))
        return Unknown(f"the module {name} is not in the tree")
    native = standard.module(name)
    if machine.guards and standard.is_absent(name):
        raise RaisedError("ModuleNotFoundError", f"No module named {name!r}", (scope.path, at))
    if native is not None or standard.is_standard(name):
        event(machine, name, "standard library", scope, at)
        return native or Unknown(f"the module {name} of the standard library")
    event(machine, name, "third party", scope, at)
    return External(name)


def event(
    machine: Machine, name: str, origin: str, scope: Scope, at: tree.At, file: str | None = None
) -> None:
    """Report an import, with the chain of statements that led to it."""
    guards, doubt = machine.bases[-1] if machine.bases else (0, 0)
    machine.events.append(
        ImportEvent(
            name,
            origin,
            (scope.path, at),
            machine.guards > 0,
            machine.doubt > 0,
            tuple(machine.running),
            file,
            (machine.guards > guards, machine.doubt > doubt),
        )
    )


def _load(machine: Machine, name: str, parent: Value, scope: Scope, at: tree.At) -> Value:
    if name in machine.modules:
        module = machine.modules[name]
        return UNBOUND if module is None else module
    short = name.rpartition(".")[2]
    if isinstance(parent, Module):
        found = find(machine, short, tuple(_search_path(parent)))
    else:
        found = top_level(machine, short)
    if found is None:
        return UNBOUND
    module = _execute(machine, name, found, scope, at)
    if isinstance(parent, Module):
        parent.scope.names.setdefault(short, module)
    return module


def _search_path(parent: Module) -> list[str]:
    value = parent.scope.names.get("__path__")
    items = value.items if isinstance(value, Items) else []
    known_places = [string(item) for item in items]
    return [
        place.removeprefix(ROOT).strip("/")
        for place in known_places
        if place is not None and (place == ROOT or place.startswith(f"{ROOT}/"))
    ]


def module_scope(name: str, path: str, places: tuple[str, ...], doubt: int) -> Scope:
    """A fresh module scope with the names that the import system sets."""
    package = name if places else name.rpartition(".")[0]
    scope = Scope(path, name, "module", doubt=doubt, package=package)
    file = f"{ROOT}/{path}"
    scope.names = {
        "__name__": Literal(name),
        "__file__": Literal(file),
        "__package__": Literal(package),
        "__spec__": Unknown("a module specification"),
        "__doc__": Literal(None),
    }
    if places:
        scope.names["__path__"] = Items("list", [Literal(f"{ROOT}/{place}") for place in places])
    return scope


def _execute(machine: Machine, name: str, found: Found, scope: Scope, at: tree.At) -> Module:
    module_ = Module(name, found.path, module_scope(name, found.path, found.places, machine.doubt))
    machine.modules[name] = module_
    parsed = syntax(machine, found.path)
    if parsed is None:
        module_.scope.unread = bool(found.path) or not found.places
        return module_
    start = len(machine.events)
    machine.running.append((scope.path, at))
    machine.bases.append((machine.guards, machine.doubt))
    # A guard of the importing file catches what fails inside as well, but a doubt of the importing
    # branch is no doubt inside the module: if it runs at all, it runs from the start.
    try:
        statements.run_module(machine, parsed, module_.scope)
    except RaisedError as error:
        if machine.guards:
            machine.modules.pop(name, None)
            raise
        machine.failed.append(error)
    finally:
        machine.running.pop()
        machine.bases.pop()
    if machine.guards or machine.doubt or not machine.importing:
        machine.reached[name] = again.own(machine, start)
    return module_


def syntax(machine: Machine, path: str) -> tree.Module | None:
    """The tree of a file of the repository; None where it cannot be read or parsed."""
    if not path:
        return None
    if path not in machine.trees:
        text = machine.files.text(path)
        parsed: tree.Module | Unreadable = (
            text
            if isinstance(text, Unreadable)
            else (hubconf.read(text) if path == machine.hub else modules.read(text))
        )
        if isinstance(parsed, Unreadable):
            machine.unreadable[path] = parsed
        machine.trees[path] = None if isinstance(parsed, Unreadable) else parsed
    return machine.trees[path]


def absolute(scope: Scope, module: str, level: int, at: tree.At) -> str:
    """The absolute name of a relative import; raises RaisedError where there is no parent."""
    if level == 0:
        return module
    root = scope.root
    if not root.package:
        raise RaisedError(
            "ImportError",
            "attempted relative import with no known parent package",
            (scope.path, at),
        )
    parts = root.package.split(".")
    if level > len(parts):
        raise RaisedError(
            "ImportError", "attempted relative import beyond top-level package", (scope.path, at)
        )
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, module] if module else base)


def run_import(machine: Machine, node: tree.Import, scope: Scope) -> None:
    """``import module`` or ``import module as name``."""
    module = import_module(machine, node.module, scope, node.at)
    place = Binding(scope.path, node.at, imported=True)
    if node.name is not None:
        scope.bind(node.name, module, place, machine.doubt)
        return
    top = node.module.partition(".")[0]
    value: Value = module
    if top != node.module:
        if isinstance(module, External):
            value = External(top)
        else:
            value = machine.modules.get(top) or standard.module(top) or module
    scope.bind(top, value, place, machine.doubt)


def run_from(machine: Machine, node: tree.ImportFrom, scope: Scope) -> None:
    """``from module import names``."""
    try:
        name = absolute(scope, node.module, node.level, node.at)
    except RaisedError:
        if machine.guards:
            raise
        if scope.root.path == machine.hub:
            place_ = (scope.path, node.at)
            machine.events.append(RelativeEvent(place_, machine.doubt > 0))
        for alias in node.names:
            nothing = Unknown("a relative import without a parent package")
            place = Binding(scope.path, alias.at, imported=True)
            scope.bind(alias.asname or alias.name, nothing, place, machine.doubt)
        raise
    module = import_module(machine, name, scope, node.at)
    if not node.names:
        star(machine, module, scope, node)
        return
    for alias in node.names:
        value = member(machine, module, alias.name, scope, alias.at)
        place = Binding(scope.path, alias.at, imported=True)
        scope.bind(alias.asname or alias.name, value, place, machine.doubt)


def member(machine: Machine, module: Value, name: str, scope: Scope, at: tree.At) -> Value:
    """``from module import name``: an attribute, else a submodule."""
    if isinstance(module, External):
        return External(f"{module.name}.{name}")
    if isinstance(module, Native):
        return standard.attribute(module, name)
    if not isinstance(module, Module):
        return Unknown(f"{name} of a module that is not known")
    found = module.scope.names.get(name, UNBOUND)
    if isinstance(found, Absent) or (isinstance(found, Choice) and UNBOUND in found.options):
        submodule = import_submodule(machine, module, name, scope, at)
        if isinstance(found, Absent):
            found = submodule
    if isinstance(found, Choice):
        found = join(option for option in found.options if option is not UNBOUND)
    if not isinstance(found, Absent):
        return found
    if "__getattr__" in module.scope.names or module.scope.unread:
        return Unknown(f"{module.name} makes {name} at run time")
    if module.scope.stars:
        return External(f"{module.scope.stars[-1].name}.{name}")
    if not _unfinished(machine, module):
        _lacks(machine, module, name, (scope.path, at))
    return Unknown(f"{module.name} has no {name}")


def _lacks(machine: Machine, module: Module, name: str, place: tuple[str, tree.At]) -> None:
    """The import fails: for a guard to catch, or for everybody."""
    text = f"cannot import name {name!r} from {module.name!r}"
    error = RaisedError("ImportError", text, place)
    if machine.guards:
        raise error
    if not machine.doubt:
        machine.failed.append(error)


def _unfinished(machine: Machine, module: Module) -> bool:
    """Whether ``module`` is still being executed (an import cycle)."""
    return any(path == module.path for path, _ in machine.running)


def import_submodule(
    machine: Machine, module: Module, name: str, scope: Scope, at: tree.At
) -> Value:
    """The submodule ``name`` of a package, imported now; unbound where there is none."""
    if "__path__" not in module.scope.names:
        return UNBOUND
    value = _load(machine, f"{module.name}.{name}", module, scope, at)
    if isinstance(value, Module):
        event(machine, value.name, "repository", scope, at, value.path)
    return value


def star(machine: Machine, module: Value, scope: Scope, node: tree.ImportFrom) -> None:
    """``from module import *``."""
    place = Binding(scope.path, node.at, imported=True)
    if isinstance(module, Native):
        for name in standard.public_names(module):
            scope.bind(name, standard.attribute(module, name), place, machine.doubt)
    elif isinstance(module, Module):
        _star_module(machine, module, scope, node, place)
    elif isinstance(module, External):
        scope.root.stars.append(module)
        if scope.root.path == machine.hub:
            reason = f"star import of {module.name}, which is not in the repository"
            machine.dynamic(reason, scope, node.at)
    else:
        reason = f"star import of {node.module}, which cannot be read"
        machine.unread(scope, reason, scope, node.at)


def _star_module(
    machine: Machine, module: Module, scope: Scope, node: tree.ImportFrom, place: Binding
) -> None:
    listed = module.scope.names.get("__all__", UNBOUND)
    if isinstance(listed, Absent):
        public = {
            name: value for name, value in module.scope.names.items() if not name.startswith("_")
        }
        for name, value in public.items():
            scope.bind(name, value, place, machine.doubt)
        for outside in module.scope.stars:
            scope.root.stars.append(outside)
        if scope.root.path == machine.hub and module.scope.stars:
            reason = f"{module.name} star-imports {module.scope.stars[0].name}"
            machine.dynamic(reason, scope, node.at)
        if module.scope.unread:
            machine.unread(scope, f"{module.name} makes names at import", scope, node.at)
        return
    names, complete = exported(listed)
    for name, certain in names:
        value = member(machine, module, name, scope, node.at)
        with machine.doubtful(0 if certain else 1):
            scope.bind(name, value, place, machine.doubt)
    if not complete:
        machine.unread(scope, f"__all__ of {module.name} cannot be read", scope, node.at)


def exported(listed: Value) -> tuple[list[tuple[str, bool]], bool]:
    """The names of an ``__all__``, each with whether it is certain; and whether these are all."""
    if isinstance(listed, Choice):
        found: dict[str, bool] = {}
        complete = True
        for option in listed.options:
            names, known_ = exported(option)
            complete &= known_
            found.update((name, False) for name, _ in names)
        return list(found.items()), complete
    if not isinstance(listed, Items):
        return [], False
    result = []
    complete = not listed.open
    for item in listed.items:
        certain = not isinstance(item, Choice)
        for option in item.options if isinstance(item, Choice) else (item,):
            name = string(option)
            if name is not None:
                result.append((name, certain))
            elif not isinstance(option, Absent):
                complete = False
    return result, complete
