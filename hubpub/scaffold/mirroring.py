"""hubconf.py for networks that are there already: each constructor mirrored as an entrypoint."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from hubpub.errors import UsageError
from hubpub.scaffold.answers import Answers, entrypoint_name
from hubpub.scaffold.classes import Argument, ModelClass
from hubpub.scaffold.converting import Trained
from hubpub.scaffold.looking import Found

RESERVED = frozenset(
    "github repo_or_dir model source trust_repo force_reload verbose skip_validation".split()  # noqa: SIM905
)
"""Parameters of ``torch.hub.load`` itself: an entrypoint's own of that name is never given."""
_SHORT = 60
"""A longer default is not repeated."""
_WIDTH = 100
_ANNOTATIONS = frozenset({"int", "float", "str", "bool"})


@dataclass(frozen=True)
class Weights:
    """Where trained weights lie: ``path`` in the tree, or ``url``; ``form`` as in Trained."""

    path: str = ""
    url: str = ""
    form: str = "state dict"

    @property
    def kind(self) -> str:
        """How an entrypoint gets them: torchscript, tree, url or none."""
        if self.form == "torchscript":
            return "torchscript"
        return "tree" if self.path else "url" if self.url else "none"


@dataclass(frozen=True)
class Entry:
    """One entrypoint to write: a network under a name.

    ``values`` are literals, as Python writes them, for parameters of the constructor, instead of
    their defaults or where they have none. ``leading`` are arguments that every call gives.
    """

    model: ModelClass
    name: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    weights: Weights = field(default_factory=Weights)
    leading: tuple[str, ...] = ()


def proposed_name(model: ModelClass) -> str:
    """An entrypoint name for a class: ``SmallNet`` -> ``smallnet``, ``TextEncoder`` -> ``text_encoder``."""  # noqa: E501
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", "_", model.name)
    return re.sub(r"_net\Z", "net", spaced.lower())


_TIMM = re.compile(r"[a-z][a-z0-9_]{1,80}(?:\.[a-z0-9_]{1,80})?\Z")


def timm_entry(
    name: str, entrypoint: str | None, values: Sequence[str], weights: Weights | None
) -> Entry:
    """The entrypoint that builds the network ``name`` of timm.

    Raises:
        UsageError: timm has no networks of such a name.
    """
    if not _TIMM.match(name):
        raise UsageError(
            f"{name!r} is not the name of a network of timm",
            help="as timm.list_models() gives it, such as resnet18 or vit_tiny_patch16_224.augreg; "
            "hf-hub: and local-dir: names are not supported, as nobody could pin them",
        )
    model = ModelClass(
        "create_model",
        "timm",
        "",
        1,
        (
            Argument("num_classes", "int", "1000", False, True, "classes of the last layer."),
            Argument("in_chans", "int", "3", False, True, "channels of the images."),
        ),
        f"The network ``{name}`` of timm.",
        "takes images, float32 of shape (N, in_chans, H, W), and gives logits of shape "
        "(N, num_classes).",
    )
    plain = entrypoint_name(entrypoint or name.partition(".")[0])
    (entry,) = entries([(model, plain)], values=values, weights=weights)
    return replace(entry, leading=(f'"{name}"', "pretrained=False"))


def torchscript_entry(name: str, trained: Trained, weights: Weights) -> Entry:
    """The entrypoint that loads the TorchScript archive ``trained``.

    Raises:
        UsageError: its name cannot be used.
    """
    takes = f"its forward is ``{trained.forward}``." if trained.forward else "a saved program."
    model = ModelClass("", "torch", "", 1, (), f"The TorchScript archive {weights.path}", takes)
    return Entry(model, entrypoint_name(name), weights=weights)


def choose(found: Found, wanted: Sequence[str]) -> tuple[tuple[ModelClass, str | None], ...]:
    """The classes that ``wanted`` mean, each ``CLASS`` or ``CLASS=ENTRYPOINT``; all without any.

    Raises:
        UsageError: there is no such class, or several.
    """
    if not wanted:
        return tuple((model, None) for model in found.candidates())
    chosen = []
    for word in wanted:
        name, equals, entrypoint = word.partition("=")
        same = [item for item in found.models if name in {item.name, item.dotted}]
        if len(same) != 1:
            known = ", ".join(item.dotted for item in same or found.candidates())
            trouble = "several networks are called" if same else "there is no network called"
            raise UsageError(f"{trouble} {name!r}", help=f"--model with one of: {known or 'none'}")
        chosen.append((same[0], entrypoint if equals else None))
    return tuple(chosen)


def entries(
    chosen: Sequence[tuple[ModelClass, str | None]],
    *,
    entrypoint: str | None = None,
    values: Sequence[str] = (),
    weights: Weights | None = None,
) -> tuple[Entry, ...]:
    """The entrypoints for the chosen classes. ``values`` are ``[CLASS.]PARAMETER=LITERAL``.

    Raises:
        UsageError: a name cannot be used or is used twice, or a value fits nothing.
    """
    if len(chosen) > 1 and (entrypoint or (weights and (weights.path or weights.url))):
        what = "--entrypoint" if entrypoint else "--from-checkpoint"
        names = ", ".join(model.name for model, _ in chosen)
        raise UsageError(
            f"{what} is for one network, and there are {len(chosen)}: {names}",
            help="choose one with --model CLASS (and its entrypoint with --model CLASS=NAME)",
        )
    given = [_value(word, chosen) for word in values]
    found = []
    for model, name in chosen:
        own = {parameter: text for cls, parameter, text in given if cls is model}
        named = entrypoint_name(entrypoint or name or proposed_name(model))
        found.append(Entry(model, named, MappingProxyType(own), weights or Weights()))
    names_ = [entry.name for entry in found]
    twice = sorted({name for name in names_ if names_.count(name) > 1})
    if twice:
        raise UsageError(
            f"two networks would be the entrypoint {twice[0]!r}",
            help="name each: --model CLASS=ENTRYPOINT",
        )
    return tuple(found)


def _value(
    word: str, chosen: Sequence[tuple[ModelClass, str | None]]
) -> tuple[ModelClass, str, str]:
    target, equals, text = word.partition("=")
    cls, _, parameter = target.rpartition(".")
    same = [
        model
        for model, _ in chosen
        if cls in {"", model.name, model.dotted}
        and any(item.name == parameter for item in model.arguments)
    ]
    if not equals or len(same) != 1:
        raise UsageError(
            f"--value {word!r} fits {'several networks' if len(same) > 1 else 'no parameter'}",
            help="--value CLASS.PARAMETER=LITERAL, such as --value SmallNet.classes=10",
        )
    return same[0], parameter, literal(target, text)


def literal(target: str, text: str) -> str:
    """``text`` as Python writes the value; ``target`` is what it is for.

    Raises:
        UsageError: it is no literal.
    """
    import ast

    try:
        return repr(ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(
            f"--value {target}: {text!r} is no literal of Python",
            help="a number, True, None, or a text in quotes, such as Net.kind=\"'small'\"",
        ) from None


def missing_values(entry: Entry) -> tuple[str, ...]:
    """The parameters that a caller would have to give, by the constructor's names."""
    return tuple(
        item.name
        for item in entry.model.arguments
        if item.default is None and item.name not in entry.values
    )


def remarks(items: Sequence[Entry]) -> Iterator[str]:
    """What became of parameters that could not be repeated as they are."""
    for entry in items:
        where = f"{entry.name}:"
        for argument, name in _mirrored(entry):
            if argument.name in RESERVED:
                yield (
                    f"{where} torch.hub.load takes {argument.name!r} for itself, so that it is "
                    f"called {name!r}"
                )
        for argument in entry.model.arguments:
            if not _can_mirror(entry, argument):
                yield f"{where} {argument.name} keeps its default, {argument.default}"
        if entry.model.open:
            yield f"{where} what {entry.model.name} takes as *args or **kwargs is not offered"
        for name in missing_values(entry):
            yield (
                f"{where} a caller must give {name}: "
                f"--value {entry.model.name}.{name}=LITERAL writes a default"
            )


def _can_mirror(entry: Entry, argument: Argument) -> bool:
    if argument.name in entry.values or argument.default is None:
        return True
    return argument.literal and len(argument.default) <= _SHORT


def _mirrored(entry: Entry) -> Iterator[tuple[Argument, str]]:
    """The parameters that are repeated, with the names they get; required ones first."""
    items = [item for item in entry.model.arguments if _can_mirror(entry, item)]
    needed = set(missing_values(entry))
    names = {item.name for item in items}
    taken = {*RESERVED, entry.name, "torch"}
    for item in sorted(items, key=lambda item: item.name not in needed):
        name = item.name
        # A parameter called torch would hide the module that loads the weights.
        while name in taken or (name != item.name and name in names):
            name += "_"
        yield item, name


def values(answers: Answers, items: Sequence[Entry], dependencies: Sequence[str]) -> dict[str, Any]:
    """What the templates under ``templates/existing`` ask for."""
    shown = [_shown(entry, answers) for entry in items]
    return {
        "entries": shown,
        "dependencies": list(dependencies),
        "tree": any(entry["weights"] in {"tree", "torchscript"} for entry in shown),
        "sources": any(entry["sources"] for entry in shown),
        "owner": answers.owner,
        "repo": answers.repo,
        "tag": answers.tag,
        "description": answers.description,
    }


def _shown(entry: Entry, answers: Answers) -> dict[str, Any]:
    model, weights = entry.model, entry.weights
    mirrored = list(_mirrored(entry))
    kind = weights.kind
    switch = _switch(mirrored, kind)
    about = model.summary or f"The network ``{model.name}`` of ``{model.module}``"
    call = f'torch.hub.load("{answers.owner}/{answers.repo}:{answers.tag}", "{entry.name}"'
    gives = _quoted(model.forward) or f"see ``{model.name}.forward``."
    needed = missing_values(entry)
    given = "".join(f", {name}=..." for item, name in mirrored if item.name in needed)
    return {
        "name": entry.name,
        "module": model.module,
        "cls": model.name,
        "sources": model.path.startswith("src/"),
        "signature": _wrapped(
            list(_signature(entry, mirrored, switch, kind)), len(entry.name) + 7, ""
        ),
        "title": f"{_quoted(about).rstrip('.')}.",
        "about": f"Built by ``{model.dotted}``, in evaluation mode." if model.name else "",
        "documented": [
            part for line in _documented(entry, mirrored, switch, kind) for part in _filled(line)
        ],
        "gives": _filled(f"{_returned(kind)}: {gives}"),
        "load": f"{call}{given}, trust_repo=True)",
        "callable": not needed,
        "given": ", pretrained=False" if kind == "url" and switch == "pretrained" else "",
        "call": _wrapped(
            [*entry.leading, *(f"{item.name}={name}" for item, name in mirrored)],
            len(model.name) + 16,
            "    ",
        ),
        "weights": kind,
        "switch": switch,
        "place": ", ".join(f'"{part}"' for part in weights.path.split("/")),
        "safetensors": weights.form == "safetensors",
        "url": weights.url,
    }


def _switch(mirrored: Sequence[tuple[Argument, str]], kind: str) -> str:
    """The parameter that says which weights: one that the constructor does not have."""
    taken = {name for _, name in mirrored}
    switch = "checkpoint" if kind == "none" else "pretrained"
    while switch in taken:
        switch += "_"
    return switch


def _returned(kind: str) -> str:
    return "torch.jit.ScriptModule" if kind == "torchscript" else "torch.nn.Module"


def _filled(text: str) -> list[str]:
    """A line of a docstring's section as lines that are not too long."""
    return textwrap.wrap(
        text, _WIDTH - 8, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _wrapped(items: Sequence[str], around: int, indent: str) -> str:
    """Arguments on one line, or each on its own where the line would be longer than :data:`_WIDTH`.

    ``around`` is how much else stands on the line.
    """
    line = ", ".join(items)
    if len(line) + around <= _WIDTH:
        return line
    return "".join(f"\n{indent}    {item}," for item in items) + f"\n{indent}"


def _signature(
    entry: Entry, mirrored: Sequence[tuple[Argument, str]], switch: str, kind: str
) -> Iterator[str]:
    for item, name in mirrored:
        default = entry.values.get(item.name, item.default)
        if item.annotation in _ANNOTATIONS:
            yield f"{name}: {item.annotation}{'' if default is None else f' = {default}'}"
        else:
            yield name if default is None else f"{name}={default}"
    if kind != "torchscript":
        yield f"{switch}=None" if kind == "none" else f"{switch}=True"


def _documented(
    entry: Entry, mirrored: Sequence[tuple[Argument, str]], switch: str, kind: str
) -> Iterator[str]:
    for item, name in mirrored:
        words = item.words or f"as ``{entry.model.name}`` takes {item.name}."
        yield f"{name}{_type(entry, item)}: {_quoted(words)}"
    if kind == "torchscript":
        return
    if kind == "none":
        yield (
            f"{switch} (str or None): path of a checkpoint to load, as written by "
            "``torch.save(model.state_dict(), path)``. None keeps the first values."
        )
    else:
        yield f"{switch} (bool): load the trained weights; False keeps the first values."


def _type(entry: Entry, item: Argument) -> str:
    import ast

    if item.annotation:
        return f" ({_quoted(item.annotation)})"
    default = entry.values.get(item.name, item.default)
    value = None if default is None else ast.literal_eval(default)
    return "" if value is None else f" ({type(value).__name__})"


def _quoted(text: str) -> str:
    """Text as it can stand in a docstring between three double quotes."""
    return text.replace("\\", "\\\\").replace('"""', "'''")
