"""HUB2xx: what entrypoints ask of their callers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.cached import ROOT, URL_LOADERS
from hubpub.rules.entrypoints import by_place, listing
from hubpub.source.facts import (
    CHECKPOINT_SUFFIXES,
    Download,
    Entrypoint,
    Parameter,
    Place,
    Repo,
)
from hubpub.source.facts_entry import UNREAD_DOCSTRINGS

_OPENERS = {"torch.load", "safetensors.torch.load_file"}
"""Functions that open a file, wherever it may have come from."""


@rule("HUB202", "undocumented-argument", Severity.NOTE)
def undocumented_argument(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the docstring of an entrypoint names each of its arguments. Arguments that begin
    with an underscore, `*args` and `**kwargs` are left out, and so are entrypoints without a
    docstring (HUB201).

    ## Why is this bad?

    `torch.hub.help` shows the docstring and not the signature: users do not learn that the
    argument is there.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width=2, bias=True):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return torch.nn.Linear(width, 1, bias)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width=2, bias=True):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
            bias: whether the layer has a bias.
        \"\"\"
        return torch.nn.Linear(width, 1, bias)
    ```
    """
    for place, items in by_place(repo.entrypoints).items():
        item = items[0]
        missing = _undocumented(item)
        if missing and not item.leak:
            several = "arguments" if len(missing) > 1 else "argument"
            yield Finding(
                f"the docstring of {listing(one.name for one in items)} does not name the "
                f"{several} {listing(missing, 8)}",
                place,
                help="say what each argument means",
            )


def _undocumented(item: Entrypoint) -> list[str]:
    if item.docstring is None or item.docstring in UNREAD_DOCSTRINGS:
        return []
    words = set(re.findall(r"\w+", f"{item.docstring}\n{item.constructor or ''}"))
    return [
        parameter.name
        for parameter in item.parameters
        if parameter.kind not in {"*", "**"}
        and parameter.name not in words
        and not parameter.name.startswith("_")
    ]


@rule("HUB206", "required-argument", Severity.NOTE)
def required_argument(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for entrypoints that cannot be called without arguments: a parameter without a default,
    or `*args` and `**kwargs` that are passed on to a function or class of the repository that needs
    more. An example that loads the entrypoint with arguments, in a document or a docstring, is
    enough.

    ## Why is this bad?

    `torch.hub.load(repo, name)` is what users try first, and it fails with a `TypeError`.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return torch.nn.Linear(width, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width=2):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return torch.nn.Linear(width, 1)
    ```
    """
    shown = {call.entrypoint for call in repo.hub_calls if call.document and call.passes}
    wanted = (item for item in repo.entrypoints if not item.leak and not item.decorated)
    for place, items in by_place(wanted).items():
        item = items[0]
        needed = item.required or (item.lack.parameters if item.lack else ())
        if not needed or shown & {one.name for one in items}:
            continue
        reason = f"needs {listing(needed, 8)}"
        notes: tuple[Note, ...] = ()
        if not item.required and item.lack is not None:
            reason = f"passes its arguments on to {item.lack.callee}, which {reason}"
            notes = (Note(item.lack.place.path, item.lack.place.span, "this call fails"),)
        yield Finding(
            f'torch.hub.load(repo, "{item.name}") fails: {item.name} {reason}',
            place,
            help=f"give {'them' if len(needed) > 1 else 'it'} a default, or show a call with "
            "arguments in the README",
            notes=notes,
        )


_SILENT = {"source", "trust_repo", "force_reload", "verbose", "skip_validation"}
_LOUD = {"repo_or_dir", "model"}


@rule("HUB207", "reserved-parameter", Severity.ERROR)
def reserved_parameter(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for parameters of entrypoints called `repo_or_dir`, `model`, `source`, `trust_repo`,
    `force_reload`, `verbose` or `skip_validation`. Positional-only ones are left out: nobody gives
    them by keyword.

    ## Why is this bad?

    They are parameters of `torch.hub.load` itself, which never passes them on. `verbose=False`
    quiets the loader, and the entrypoint keeps its default without a word; without a default it
    fails. `model=...` and `repo_or_dir=...` raise a `TypeError`, as both are given already: it is a
    warning where the parameter has a default, since the load works until somebody sets it.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(verbose=True):
        \"\"\"A tiny network.

        Args:
            verbose: print the number of parameters.
        \"\"\"
        network = torch.nn.Linear(2, 1)
        if verbose:
            print(sum(item.numel() for item in network.parameters()))
        return network
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(show_size=True):
        \"\"\"A tiny network.

        Args:
            show_size: print the number of parameters.
        \"\"\"
        network = torch.nn.Linear(2, 1)
        if show_size:
            print(sum(item.numel() for item in network.parameters()))
        return network
    ```
    """
    found: dict[Place, tuple[Parameter, list[str]]] = {}
    for item in repo.entrypoints:
        for parameter in item.parameters:
            named = parameter.kind in {"plain", "keyword"}
            if named and not item.leak and not item.decorated and parameter.name in _SILENT | _LOUD:
                found.setdefault(parameter.place, (parameter, []))[1].append(item.name)
    for place, (parameter, names) in found.items():
        name, loud = parameter.name, parameter.name in _LOUD
        effect = "it raises a TypeError" if loud else "the entrypoint never gets it"
        if not parameter.optional and not loud:
            effect = "the entrypoint fails for want of it"
        yield Finding(
            f"torch.hub.load has a parameter {name} of its own: given as {name}=..., "
            f"{effect} ({listing(names)})",
            place,
            Severity.WARNING if loud and parameter.optional else None,
            help="give the parameter another name",
        )


@rule("HUB208", "no-pretrained-switch", Severity.NOTE)
def no_pretrained_switch(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for entrypoints that load a checkpoint whatever their arguments are. A file that the
    caller names is the caller's choice, and one that came with the repository costs nothing; a
    TorchScript archive, or a checkpoint that is returned as it is, is the model itself.

    ## Why is this bad?

    Users cannot have the architecture alone: to train it from scratch, to load weights of their
    own, or to try it without a network. By convention `pretrained=False` gives that.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        network = torch.nn.Linear(2, 1)
        state = torch.hub.load_state_dict_from_url(
            "https://example.org/tiny-0a1b2c3d.pth",
            map_location="cpu",
            check_hash=True,
            weights_only=True,
        )
        network.load_state_dict(state)
        return network
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=True):
        \"\"\"A tiny network.

        Args:
            pretrained: load the published weights.
        \"\"\"
        network = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            network.load_state_dict(state)
        return network
    ```
    """
    loads: dict[str, Download] = {}
    for download in repo.downloads:
        if _is_checkpoint(download) and not download.returned:
            for name in download.always:
                loads.setdefault(name, download)
    wanted = (item for item in repo.entrypoints if item.name in loads and not item.leak)
    for place, items in by_place(wanted).items():
        download = loads[items[0].name]
        switch = any(parameter.name == "pretrained" for parameter in items[0].parameters)
        yield Finding(
            f"{listing(item.name for item in items)} {'load' if len(items) > 1 else 'loads'} "
            "a checkpoint "
            + ("even with pretrained=False" if switch else "whatever the arguments are"),
            place,
            help="load it below `if pretrained:`"
            + ("" if switch else ", with a parameter pretrained=True"),
            notes=(Note(download.place.path, download.place.span, "it is loaded here"),),
        )


def _is_checkpoint(download: Download) -> bool:
    """Whether a call certainly fetches or opens weights, not a vocabulary or a settings file."""
    if download.function in URL_LOADERS:
        return True
    names = [
        value
        for key in ("f", "filename", "url", "dst", "out", "output", "path")
        if (given := download.argument(key)) is not None
        for value in given.values
        if isinstance(value, str)
    ]
    if download.function in _OPENERS:
        return bool(names) and not all(name.startswith(ROOT) for name in names)
    return any(name.lower().partition("?")[0].endswith(CHECKPOINT_SUFFIXES) for name in names)
