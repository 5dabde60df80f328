"""HUB4xx: how checkpoints are opened: what a pickle may run, and where tensors go."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Fix, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.cached import (
    ROOT,
    UNKNOWN,
    URL_LOADERS,
    cache_name,
    is_default,
    strings,
    value,
)
from hubpub.rules.keywords import add_keyword
from hubpub.source.facts import Argument, Download, Place, Repo

_SCRIPTED = "torch.jit.load"
_TORCH_LOADERS = {*URL_LOADERS, "torch.load"}
_ABSENT = object()


def _states(download: Download, name: str) -> Iterator[tuple[object, bool]]:
    """What a keyword is in each way to reach a call, and whether only by a caller's default."""
    absent = _ABSENT if download.complete else UNKNOWN
    for case in download.cases or (download.arguments,):
        argument = case.get(name)
        yield value(argument, absent), is_default(argument)


def _off(download: Download, name: str, off: tuple[object, ...]) -> str:
    """How a keyword is off: absent, given, default (a caller may say otherwise); empty: it is not.

    Where some ways to reach the call have it off and others on, the ones that have it off count.
    """
    states = [
        (state, default) for state, default in _states(download, name)
        if state is _ABSENT or any(state is item for item in off)
    ]  # fmt: skip
    if not states:
        return ""
    if all(default for _, default in states):
        return "default"
    return "absent" if any(state is _ABSENT for state, _ in states) else "given"


def _source(download: Download) -> Argument | None:
    return download.argument("url" if download.function in URL_LOADERS else "f")


def _is_safetensors(download: Download) -> bool:
    """Whether all files that a call opens are safetensors: no pickle, and loaded on the CPU."""
    source = _source(download)
    names = [cache_name(item) for item, _ in strings(source)]
    known = source is not None and source.known
    return known and bool(names) and all(name.endswith(".safetensors") for name in names)


def _in_tree(download: Download) -> bool:
    source = _source(download)
    found = [item for item, _ in strings(source)]
    known = source is not None and source.known
    return known and bool(found) and all(item.startswith(ROOT) for item in found)


@rule("HUB406", "pickle-load", Severity.WARNING)
def pickle_load(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are loaded without `weights_only=True`. It is a note where the file
    lies in the repository itself, where a caller's argument decides, and for other readers of
    pickles (`pickle.load`, `joblib.load`, `numpy.load(allow_pickle=True)`).

    ## Why is this bad?

    A pickle is a program. Whoever can replace the file, or the host that holds it, runs code on
    the machines of all users. `load_state_dict_from_url` allows that unless told otherwise, in
    every version of torch; `torch.load` does before 2.6, and from then on refuses a checkpoint
    that holds anything but tensors, so that the same line loads for some users and not for others.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## Fix safety

    `weights_only=True` is added where the call can take it, and the fix is unsafe: a checkpoint
    that holds more than tensors and plain containers (an `argparse.Namespace`, numpy scalars, a
    whole model) no longer loads, and `load_state_dict_from_url` does not know the argument before
    torch 2.3. `hubpub verify` says which checkpoints load with it.

    ## References

    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    - [pytorch/pytorch#137602](https://github.com/pytorch/pytorch/pull/137602)
    """
    seen: set[Place] = set()
    for download in repo.downloads:
        if download.function not in _TORCH_LOADERS or _is_safetensors(download):
            continue
        how = _off(download, "weights_only", (False, None))
        if not how or download.place in seen:
            continue
        seen.add(download.place)
        note = how == "default" or _in_tree(download)
        yield Finding(
            _pickled(download, how),
            download.place,
            Severity.NOTE if note else None,
            "say weights_only=True, if the checkpoint holds only tensors",
            fix=_tensors_only(repo, download) if how == "absent" else None,
        )
    for call in repo.unpickled:
        if call.place not in seen and _runs_code(call):
            seen.add(call.place)
            message = f"{call.function} runs whatever code the file holds"
            yield Finding(message, call.place, Severity.NOTE, "keep tensors, and data as JSON")


def _pickled(download: Download, how: str) -> str:
    if how == "given":
        return "weights_only=False runs whatever code the checkpoint holds"
    if how == "default":
        return "unless the caller says weights_only=True, whatever code the checkpoint holds runs"
    if download.function == "torch.load":
        return "before torch 2.6, torch.load runs whatever code the checkpoint holds"
    return "without weights_only=True, loading runs whatever code the checkpoint holds"


def _runs_code(call: Download) -> bool:
    name = {"joblib.load": "filename", "numpy.load": "file"}.get(call.function, "file")
    argument = call.argument(name)
    found = [item for item, _ in strings(argument)]
    if argument is not None and argument.known and all(item.startswith(ROOT) for item in found):
        return False  # whoever can change it can change the code
    allowed = value(call.argument("allow_pickle"), False)
    return call.function != "numpy.load" or allowed is True


def _tensors_only(repo: Repo, download: Download) -> Fix | None:
    if not download.written or download.argument("pickle_module") is not None:
        return None
    edit = add_keyword(repo, download.place, "weights_only", "True")
    return Fix("Load tensors only", False, (edit,)) if edit else None


@rule("HUB407", "no-map-location", Severity.WARNING)
def no_map_location(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are loaded without `map_location`. Where it is a caller's argument
    that is None unless given, it is a note.

    ## Why is this bad?

    Tensors go back to the device that they were saved from. If that was a GPU, the load fails on
    every machine that has none ("Attempting to deserialize object on a CUDA device"), and on one
    with fewer of them.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## Fix safety

    `map_location="cpu"` is added. `load_state_dict` copies the tensors to wherever the model is,
    so models stay on their devices. The fix is unsafe where an entrypoint returns what is loaded,
    and for `torch.jit.load`: there the model itself would now be on the CPU.

    ## References

    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    """
    seen: set[Place] = set()
    for download in repo.downloads:
        if download.function not in {*_TORCH_LOADERS, _SCRIPTED} or _is_safetensors(download):
            continue
        how = _off(download, "map_location", (None,))
        if not how or download.on_gpu or download.place in seen:
            continue
        seen.add(download.place)
        without = "unless the caller gives" if how == "default" else "without"
        yield Finding(
            f"{without} map_location, a checkpoint saved on a GPU loads only where there is one",
            download.place,
            Severity.NOTE if how == "default" else None,
            'say map_location="cpu"',
            fix=_to_cpu(repo, download) if how == "absent" else None,
        )


def _to_cpu(repo: Repo, download: Download) -> Fix | None:
    edit = add_keyword(repo, download.place, "map_location", '"cpu"') if download.written else None
    if edit is None:
        return None
    whole = download.returned or download.function == _SCRIPTED
    return Fix("Load on the CPU", not whole, (edit,))
