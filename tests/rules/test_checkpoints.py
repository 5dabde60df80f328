"""HUB4xx beyond their examples: where they speak, how loudly, and above all where not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub import check
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic
from hubpub.rules.cached import cache_name, is_stamp, shown, visible_hash
from hubpub.rules.naming import is_generic

E, W, N = "error", "warning", "note"
URL = "https://example.org/tiny-0a1b2c3d.pth"
SAFE = 'map_location="cpu", weights_only=True'
LOAD = "torch.hub.load_state_dict_from_url"
FETCH = "torch.hub.download_url_to_file"
Files = dict[str, "str | bytes"]


def diagnostics(root: Path, files: Files) -> tuple[Diagnostic, ...]:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check.check(root, Settings(select=("HUB4",))).diagnostics


def hubconf(body: str, top: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return (
        f'import os\nimport torch\n{top}\ndependencies = ["torch"]\n'
        f'def net(big, off=False, no=None, path="a.pth"):\n    """A net."""\n{lines}'
    )


def load(url: str = URL, more: str = f"check_hash=True, {SAFE}", function: str = LOAD) -> str:
    return f"{function}({url!r}, {more})" if more else f"{function}({url!r})"


def named(name: str, more: str = SAFE) -> str:
    return load(f"https://example.org/{name}", more)


OFF = SAFE
ON = f"check_hash=True, {SAFE}"
IN_TREE = "os.path.join(os.path.dirname(__file__), 'w', 'a-0a1b2c3d.pth')"
ONE: dict[str, tuple[str, list[tuple[str, str]]]] = {
    # --- names and stamps ---
    "all is well": (load(), []),
    "no stamp": (named("a.pth"), [("HUB402", W)]),
    "no stamp, checked": (named("a.pth", ON), [("HUB404", E)]),
    "stamped, not checked": (named("a-0a1b2c3d.pth"), [("HUB403", W)]),
    "stamped, check_hash=False": (
        named("a-0a1b2c3d.pth", f"check_hash=False, {SAFE}"),
        [("HUB403", W)],
    ),
    "a whole sha256": (named(f"a-{'0a' * 32}.pth", ON), []),
    "longer than a sha256": (named(f"a-{'0a' * 33}.pth", ON), [("HUB405", E)]),
    "upper case": (named("a-0A1B2C3D.pth", ON), [("HUB404", E)]),
    "two suffixes": (named("a-0a1b2c3d.pth.tar", ON), []),
    "no suffix": (named("a-0a1b2c3d", ON), [("HUB404", E)]),
    "an empty hash": (named("a-.pth", ON), [("HUB404", E)]),
    "an empty hash, not checked": (named("a-.pth"), [("HUB402", W)]),
    "a short stamp": (named("a-0a1b2c.pth"), [("HUB402", W)]),
    "a size": (named("ViT-B-32.pt"), [("HUB405", W)]),
    "a size, checked": (named("ViT-B-32.pt", ON), [("HUB405", E)]),
    "steps": (named("a-20000.pth"), [("HUB405", W)]),
    "many steps": (named("a-12000000.pth"), [("HUB405", W)]),
    "a date": (named("a-20230115.pth", ON), [("HUB405", E)]),
    "eight digits that are no date": (named("a-10086976.pth", ON), []),
    "a version before the stamp": (named("a-1.0-0a1b2c3d.pth", ON), [("HUB405", E)]),
    "a word": (named("dead-beef.pth"), [("HUB405", W)]),
    "a size with a letter": (named("efficientnet-b0.pth"), [("HUB405", W)]),
    "a size before the stamp": (named("efficientnet-b0-0a1b2c3d.pth", ON), []),
    "a stamp of the stem is seen first": (named("a-0a1b2c3d.1-2.pth", ON), []),
    "file_name has the stamp": (
        load("https://example.org/a.pth", f"file_name='a-0a1b2c3d.pth', {ON}"),
        [],
    ),
    "file_name takes the stamp away": (load(URL, f"file_name='a.pth', {ON}"), [("HUB404", E)]),
    "file_name=None": (load(URL, f"file_name=None, {ON}"), []),
    "file_name that is not known": (
        load("https://e.org/a.pth", f"file_name=no, {ON}"),
        [("HUB404", E)],
    ),
    "file_name that is computed": (load("https://e.org/a.pth", f"file_name=input(), {ON}"), []),
    "a URL that is not known": (f"{LOAD}(big, {SAFE})", []),
    "a query": (load(f"{URL}?download=true"), []),
    "an encoded name": (named("a%2D0a1b2c3d.pth", ON), [("HUB404", E)]),
    "a URL that cannot be split": (f"{LOAD}('https://[', {OFF})", [("HUB402", W)]),
    "check_hash by the caller": (f"{LOAD}({URL!r}, check_hash=off, {SAFE})", [("HUB403", N)]),
    "check_hash that is not known": (f"{LOAD}({URL!r}, check_hash=input(), {SAFE})", []),
    "keywords that are not known": (f"{LOAD}({URL!r}, **input())", []),
    "keywords that are known": (
        f"kw = dict(check_hash=True, weights_only=True)\n{LOAD}({URL!r}, map_location='cpu', **kw)",
        [],
    ),
    "arguments by position": (f"{LOAD}({URL!r}, None, 'cpu', False, True, None, True)", []),
    "another name of the loader": (
        f"from torch.hub import load_state_dict_from_url as get\nget({URL!r}, {SAFE})",
        [("HUB403", W)],
    ),
    "the old name of the loader": (
        f"from torch.utils.model_zoo import load_url\nload_url({URL!r}, {SAFE})",
        [("HUB403", W)],
    ),
    "torchvision's name of the loader": (
        (
            "from torchvision.models.utils import load_state_dict_from_url as get\n"
            f"get({URL!r}, {SAFE})"
        ),
        [("HUB403", W)],
    ),
    "a hash given": (f"{FETCH}('https://e.org/a.pth', '/hub/a.pth', hash_prefix='0a1b')", []),
    "a hash that is None": (
        f"{FETCH}('https://e.org/a.pth', '/hub/a.pth', hash_prefix=None)",
        [("HUB402", W)],
    ),
    "to a place that is not known": (f"{FETCH}('https://e.org/a.pth', input())", [("HUB402", N)]),
    "what is no checkpoint": (f"{FETCH}('https://e.org/labels.txt', '/hub/labels.txt')", []),
    "a size, fetched": (
        f"{FETCH}('https://e.org/ViT-B-32.pt', '/hub/ViT-B-32.pt')",
        [("HUB402", W)],
    ),
    # --- clashes ---
    "a name that everybody has": (named("model.pth"), [("HUB410", N)]),
    "such a name in another directory": (
        named("model.pth", f"model_dir='/hub/mine', {SAFE}"),
        [("HUB402", W)],
    ),
    "such a name, checked": (named("model.pth", ON), [("HUB404", E)]),
    "such a name with a stamp": (named("model-0a1b2c3d.pth", ON), []),
    "Drive": (load("https://drive.google.com/uc?id=1", SAFE), [("HUB409", N), ("HUB410", N)]),
    "two URLs": (
        f"{load('https://e.org/1/a.pth', SAFE)}\n{load('https://e.org/2/a.pth', SAFE)}",
        [("HUB410", E)],
    ),
    "one URL twice": (
        f"{load('https://e.org/1/a.pth', SAFE)}\n{load('https://e.org/1/a.pth', SAFE)}",
        [("HUB402", W), ("HUB402", W)],
    ),
    "one file by two schemes": (
        f"{load('https://e.org/a.pth', SAFE)}\n{load('http://e.org/a.pth', SAFE)}",
        [("HUB402", W), ("HUB402", W), ("HUB408", W)],
    ),
    "one file by two queries": (
        f"{load('https://e.org/a.pth', SAFE)}\n{load('https://e.org/a.pth?download=true', SAFE)}",
        [("HUB402", W), ("HUB402", W)],
    ),
    "one name in two directories": (
        f"{load('https://e.org/1/a.pth', SAFE)}\n"
        + load("https://e.org/2/a.pth", f"model_dir='/hub/two', {SAFE}"),
        [("HUB402", W), ("HUB402", W)],
    ),
    "a directory that is not known": (
        f"{load('https://e.org/1/a.pth', SAFE)}\n"
        + load("https://e.org/2/a.pth", f"model_dir=input(), {SAFE}"),
        [("HUB402", W), ("HUB402", W)],
    ),
    "two mirrors of a stamped file": (
        f"{load('https://e.org/a-0a1b2c3d.pth')}\n{load('https://f.org/a-0a1b2c3d.pth')}",
        [],
    ),
    "mirrors that are tried": (
        (
            "for url in ('https://e.org/a.pth', 'https://f.org/a.pth'):\n    try:\n"
            f"        return {LOAD}(url, {SAFE})\n    except OSError:\n        pass"
        ),
        [("HUB402", W), ("HUB402", W)],
    ),
    "one of two by an argument": (
        f"url = 'https://e.org/1/a.pth' if big else 'https://e.org/2/a.pth'\n{LOAD}(url, {SAFE})",
        [("HUB410", E)],
    ),
    "one file_name for two": (
        (
            "url = 'https://e.org/1/a.pth' if big else 'https://e.org/2/b.pth'\n"
            f"{LOAD}(url, file_name='c.pth', {SAFE})"
        ),
        [("HUB410", E)],
    ),
    "a file_name each": (
        (
            "for n in 'ab':\n"
            f"    {LOAD}(f'https://e.org/{{n}}/w.pth', file_name=f'net-{{n}}.pth', {SAFE})"
        ),
        [("HUB405", W)],
    ),
    # --- opening ---
    "no weights_only": (load(URL, "check_hash=True, map_location='cpu'"), [("HUB406", W)]),
    "weights_only=False": (
        load(URL, "check_hash=True, map_location='cpu', weights_only=False"),
        [("HUB406", W)],
    ),
    "weights_only by the caller": (
        load(URL, "check_hash=True, map_location='cpu', weights_only=off"),
        [("HUB406", N)],
    ),
    "weights_only that is not known": (
        load(URL, "check_hash=True, map_location='cpu', weights_only=input()"),
        [],
    ),
    "safetensors": (load("https://example.org/a-0a1b2c3d.safetensors", "check_hash=True"), []),
    "torch.load": ("torch.load(input(), 'cpu')", [("HUB406", W)]),
    "torch.load of a caller's path": ("torch.load(big, 'cpu')", [("HUB406", W)]),
    "torch.load that is safe": ("torch.load(input(), 'cpu', weights_only=True)", []),
    "torch.load of safetensors": ("torch.load('/x/a.safetensors')", []),
    "torch.jit.load": ("torch.jit.load(input(), 'cpu')", []),
    "torch.jit.load without a device": ("torch.jit.load(input())", [("HUB407", W)]),
    "load_file": ("from safetensors.torch import load_file\nload_file(input())", []),
    "no map_location": (load(URL, "check_hash=True, weights_only=True"), [("HUB407", W)]),
    "map_location=None": (
        load(URL, f"{ON.replace(chr(34) + 'cpu' + chr(34), 'None')}"),
        [("HUB407", W)],
    ),
    "map_location by position": (
        f"{LOAD}({URL!r}, None, big, check_hash=True, weights_only=True)",
        [],
    ),
    "a device": ("torch.load(input(), torch.device('cpu'), weights_only=True)", []),
    "where there is a GPU": (
        (
            "if torch.cuda.is_available():\n    torch.load(big, weights_only=True)\n"
            "else:\n    torch.load(big, 'cpu', weights_only=True)"
        ),
        [],
    ),
    "where there is none": (
        "if not torch.cuda.is_available():\n    torch.load(big, weights_only=True)",
        [("HUB407", W)],
    ),
    "pickle": ("import pickle\npickle.load(open(big, 'rb'))", [("HUB406", N)]),
    "joblib": ("import joblib\njoblib.load(big)", [("HUB406", N)]),
    "numpy": ("import numpy as np\nnp.load(big)", []),
    "numpy with pickles": ("import numpy as np\nnp.load(big, allow_pickle=True)", [("HUB406", N)]),
    # --- hosts ---
    "http": (load(URL.replace("https", "http")), [("HUB408", W)]),
    "HTTP": (load(URL.replace("https", "HTTP")), [("HUB408", W)]),
    "ftp": (load(URL.replace("https", "ftp")), [("HUB408", W)]),
    "file": (load("file:///a-0a1b2c3d.pth"), []),
    "localhost": (load("https://localhost:8000/a-0a1b2c3d.pth"), [("HUB408", W)]),
    "a private address": (load("https://10.1.2.3/a-0a1b2c3d.pth"), [("HUB408", W)]),
    "a public address": (load("https://8.8.8.8/a-0a1b2c3d.pth"), []),
    "plain http is said where it is fetched": (
        f"{FETCH}('http://e.org/a-0a1b2c3d.pth', '/hub/a')",
        [("HUB408", W)],
    ),
    "requests of a page": ("import requests\nrequests.get('http://e.org/')", []),
    "requests of a checkpoint": (
        "import requests\nrequests.get('http://e.org/a.pth')",
        [("HUB408", W)],
    ),
    "Dropbox": (load("https://www.dropbox.com/s/x/a-0a1b2c3d.pth?dl=1"), [("HUB409", N)]),
    "not quite Dropbox": (load("https://notdropbox.com/a-0a1b2c3d.pth"), []),
    "SharePoint": (load("https://uni.sharepoint.com/a-0a1b2c3d.pth"), [("HUB409", N)]),
    "a page of GitHub": (load("https://github.com/o/r/blob/main/a-0a1b2c3d.pth"), [("HUB409", E)]),
    "a raw page": (load("https://github.com/o/r/blob/main/a-0a1b2c3d.pth?raw=true"), []),
    "a raw file": (load("https://github.com/o/r/raw/v1/a-0a1b2c3d.pth"), []),
    "a release": (load("https://github.com/o/r/releases/download/blob/a-0a1b2c3d.pth"), []),
    "a page of Hugging Face": (
        load("https://huggingface.co/o/r/blob/main/a-0a1b2c3d.pth"),
        [("HUB409", E)],
    ),
    "a page of GitLab": (
        load("https://gitlab.com/o/r/-/blob/main/a-0a1b2c3d.pth"),
        [("HUB409", E)],
    ),
    # --- places ---
    "a relative path": (f"torch.load('a.pth', {SAFE})", [("HUB411", E)]),
    "a relative path that is asked for": (
        f"if os.path.exists('a.pth'):\n    torch.load('a.pth', {SAFE})",
        [],
    ),
    "a relative Path that is asked for": (
        f"from pathlib import Path\np = Path('a.pth')\nif p.is_file():\n    torch.load(p, {SAFE})",
        [],
    ),
    "a relative path that a caller may change": (f"torch.load(path, {SAFE})", []),
    "a relative path that is fetched before": (
        f"{FETCH}({URL!r}, 'tiny-0a1b2c3d.pth')\ntorch.load('tiny-0a1b2c3d.pth', {SAFE})",
        [("HUB413", N)],
    ),
    "a relative path for onnxruntime": (
        "import onnxruntime\nonnxruntime.InferenceSession('a.onnx')",
        [("HUB411", E)],
    ),
    "a file of the repository that is not there": (
        f"torch.load({IN_TREE}, {SAFE})",
        [("HUB412", E)],
    ),
    "such a file, if it is there": (
        f"if os.path.exists({IN_TREE}):\n    torch.load({IN_TREE}, {SAFE})",
        [],
    ),
    "such a file, or another way": (
        f"try:\n    torch.load({IN_TREE}, {SAFE})\nexcept OSError:\n    pass",
        [],
    ),
    "such a file, or a failure": (
        f"try:\n    torch.load({IN_TREE}, {SAFE})\nexcept OSError:\n    raise",
        [("HUB412", E)],
    ),
    "such a file, fetched": (
        f"p = {IN_TREE}\nif not os.path.exists(p):\n    {FETCH}({URL!r}, p)\ntorch.load(p, {SAFE})",
        [],
    ),
    "a file above the repository": (
        f"torch.load(os.path.dirname(__file__) + '/../a.pth', {SAFE})",
        [],
    ),
    "urlretrieve": (
        f"from urllib.request import urlretrieve as get\nget({URL!r})",
        [("HUB413", N)],
    ),
    "urlretrieve to torch's cache": (
        (
            "from urllib.request import urlretrieve as get\n"
            f"get({URL!r}, os.path.join(torch.hub.get_dir(), 'checkpoints', 'tiny.pth'))"
        ),
        [],
    ),
    "urlretrieve to a place that is not known": (
        f"from urllib.request import urlretrieve as get\nget({URL!r}, big)",
        [],
    ),
    "urlretrieve of what is no checkpoint": (
        "from urllib.request import urlretrieve as get\nget('https://e.org/a.json')",
        [],
    ),
    "wget": (f"import wget\nwget.download({URL!r})", [("HUB413", N)]),
    "gdown": ("import gdown\ngdown.download(id='1', output='a')", [("HUB413", N)]),
    "below home": (f"{FETCH}({URL!r}, os.path.expanduser('~/.cache/x/tiny.pth'))", [("HUB413", N)]),
    "model_dir is the working directory": (load(URL, f"model_dir='.', {ON}"), [("HUB413", N)]),
    "model_dir is None": (load(URL, f"model_dir=None, {ON}"), []),
    "model_dir is in the repository": (load(URL, f"model_dir=os.path.dirname(__file__), {ON}"), []),
    "Hugging Face has a cache of its own": (
        "from huggingface_hub import hf_hub_download\nhf_hub_download('o/r', 'a.pth')",
        [],
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_entrypoint(name: str, tmp_path: Path) -> None:
    body, expected = ONE[name]
    found = diagnostics(tmp_path, {"hubconf.py": hubconf(body)})
    assert [
        (item.code, item.severity.label) for item in sorted(found, key=lambda i: i.code)
    ] == expected


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
OPEN = hubconf(f"torch.load({IN_TREE}, {SAFE})")
TREES: dict[str, tuple[Files, list[tuple[str, str]]]] = {
    "it is there": ({"hubconf.py": OPEN, "w/a-0a1b2c3d.pth": b"x" * 2000}, []),
    "in another case": ({"hubconf.py": OPEN, "W/a-0a1b2c3d.pth": b"x"}, [("HUB412", E)]),
    "a pointer": ({"hubconf.py": OPEN, "w/a-0a1b2c3d.pth": POINTER}, [("HUB412", E)]),
    "kept by LFS": (
        {
            "hubconf.py": OPEN,
            "w/a-0a1b2c3d.pth": b"x" * 2000,
            ".gitattributes": "*.pth filter=lfs diff=lfs merge=lfs -text\n",
        },
        [("HUB412", E)],
    ),
    "not stamped": (
        {"hubconf.py": OPEN.replace("a-0a1b2c3d", "a"), "w/a.pth": b"x" * 2000},
        [("HUB402", N)],
    ),
    "a pickle in the tree": (
        {
            "hubconf.py": hubconf(f"torch.load({IN_TREE}, 'cpu')"),
            "w/a-0a1b2c3d.pth": b"x" * 2000,
        },
        [("HUB406", N)],
    ),
    "another pickle in the tree": (
        {
            "hubconf.py": hubconf(f"import joblib\njoblib.load({IN_TREE})"),
            "w/a-0a1b2c3d.pth": b"x" * 2000,
        },
        [],
    ),
    "a link of pages": ({"hubconf.py": OPEN, "w/a-0a1b2c3d.pth/x": b""}, []),
}


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str, tmp_path: Path) -> None:
    files, expected = TREES[name]
    found = diagnostics(tmp_path, files)
    assert [(item.code, item.severity.label) for item in found] == expected


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def test_what_git_does_not_track(tmp_path: Path) -> None:
    """A checkpoint that only the publisher has, and a large one that was never added."""
    diagnostics(tmp_path, {"hubconf.py": OPEN, "w/a-0a1b2c3d.pth": b"x" * 2000})
    with (tmp_path / "w/big-0a1b2c3d.pth").open("wb") as file:
        file.truncate(200 << 20)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "hubconf.py")
    found = diagnostics(tmp_path, {})
    assert [item.code for item in found] == ["HUB412"]
    assert "git does not track it" in found[0].message
    assert (found[0].help or "").startswith("git add --force w/a-0a1b2c3d.pth, or attach it to")
    git(tmp_path, "add", "w/a-0a1b2c3d.pth")
    assert diagnostics(tmp_path, {}) == ()


@pytest.mark.parametrize(
    ("size", "codes"),
    [
        (100 << 20, []),
        ((100 << 20) + 1, ["HUB415"]),
        (2 << 30, ["HUB415"]),
        ((2 << 30) + 1, ["HUB401"]),
    ],
)
def test_sizes(size: int, codes: list[str], tmp_path: Path) -> None:
    with (tmp_path / "a.pth").open("wb") as file:
        file.truncate(size)
    found = diagnostics(tmp_path, {"hubconf.py": hubconf("pass")})
    assert [item.code for item in found] == codes
    assert diagnostics(tmp_path, {".gitattributes": "*.pth filter=lfs\n"}) == () or codes == [
        "HUB401"
    ]


def test_one_place_is_one_finding(tmp_path: Path) -> None:
    body = f"for name in ('a', 'b', 'c'):\n    {LOAD}(f'https://e.org/{{name}}.pth')"
    found = diagnostics(tmp_path, {"hubconf.py": hubconf(body)})
    assert [item.code for item in found] == ["HUB406", "HUB407", "HUB402"]
    assert (
        found[2].message == "the checkpoint a.pth (and 2 more here) carries no stamp of its sha256"
    )


def test_ways_to_reach_a_call_are_told_apart(tmp_path: Path) -> None:
    """One place, reached with a check and without one: only what is not checked is said so."""
    text = (
        f"import torch\ndependencies = ['torch']\ndef _get(url, check):\n"
        f"    return {LOAD}(url, check_hash=check, {SAFE})\n"
        "def a():\n    'A.'\n    return _get('https://e.org/a-0a1b2c3d.pth', True)\n"
        "def b():\n    'B.'\n    return _get('https://e.org/b.pth', False)\n"
    )
    found = diagnostics(tmp_path, {"hubconf.py": text})
    assert [(item.code, item.span.line) for item in found] == [("HUB402", 10)]


def test_a_call_that_one_entrypoint_makes_on_a_gpu_only_is_made_by_the_other(
    tmp_path: Path,
) -> None:
    text = (
        'import torch\ndependencies = ["torch"]\ndef _read(path):\n'
        '    return torch.load("/data/net-0a1b2c3d.pth", weights_only=True)\n'
        'def a(path="x"):\n    """A."""\n'
        "    if torch.cuda.is_available():\n        if path:\n            return _read(path)\n"
        'def b(path="x"):\n    """B."""\n    if path:\n        return _read(path)\n'
    )
    found = diagnostics(tmp_path, {"hubconf.py": text})
    assert "HUB407" in {item.code for item in found}


def test_the_other_place_of_a_clash_is_named(tmp_path: Path) -> None:
    urls = "U = {'a': 'https://u:p@e.org/1/a.pth',\n     'b': 'https://e.org/2/a.pth'}"
    (found,) = diagnostics(tmp_path, {"hubconf.py": hubconf(f"{LOAD}(U[big], {SAFE})", top=urls)})
    assert (found.code, found.span.line) == ("HUB410", 4)
    assert [note.span.line for note in found.notes] == [3]
    assert "https://e.org/1/a.pth" in found.message


FIXES = {
    "the stamp": (load(URL, SAFE), load(URL, f"{SAFE}, check_hash=True")),
    "the stamp of all": (f"{LOAD}(U[big], {SAFE})", f"{LOAD}(U[big], {SAFE}, check_hash=True)"),
    "not where some have none": (f"{LOAD}(V[big], {SAFE})", None),
    "not where one may have none": (f"{LOAD}(U.get(big, big), {SAFE})", None),
    "not where the caller says": (f"{LOAD}({URL!r}, check_hash=off, {SAFE})", None),
    "not through a partial": (
        f"from functools import partial\nget = partial({LOAD}, {URL!r})\nget({SAFE})",
        None,
    ),
    "not of another's function": (
        "from other.hub import load_state_dict_from_url as get\n" + f"get({URL!r}, {SAFE})",
        None,
    ),
    "the device": (
        "torch.load(big, weights_only=True)",
        'torch.load(big, weights_only=True, map_location="cpu")',
    ),
    "not the device of what is returned": ("return torch.load(big, weights_only=True)", None),
    "not the device of what is returned later": (
        "m = torch.load(big, weights_only=True)\nm.eval()\nreturn m",
        None,
    ),
    "not the device of a script": ("m = torch.jit.load(big)", None),
    "not what a checkpoint may hold": ("torch.load(big, 'cpu')", None),
    "not through map": ("list(map(torch.load, [big]))", None),
    "of both names of the loader": (
        (
            "try:\n    from torch.hub import load_state_dict_from_url as get\nexcept ImportError:\n"
            f"    from torch.utils.model_zoo import load_url as get\nget({URL!r}, {SAFE})"
        ),
        (
            "try:\n    from torch.hub import load_state_dict_from_url as get\nexcept ImportError:\n"
            "    from torch.utils.model_zoo import load_url as get\n"
            f"get({URL!r}, {SAFE}, check_hash=True)"
        ),
    ),
}
TABLES = (
    "U = {'a': 'https://e.org/a-0a1b2c3d.pth', 'b': 'https://e.org/b-0a1b2c3d.pth'}\n"
    "V = {'a': 'https://e.org/a-0a1b2c3d.pth', 'b': 'https://e.org/b.pth'}"
)


@pytest.mark.parametrize("name", FIXES)
def test_safe_fixes(name: str, tmp_path: Path) -> None:
    before, after = FIXES[name]
    assert diagnostics(tmp_path, {"hubconf.py": hubconf(before, top=TABLES)})
    check.fix(tmp_path, Settings(select=("HUB403", "HUB406", "HUB407")))
    assert (tmp_path / "hubconf.py").read_text() == hubconf(after or before, top=TABLES)


# --- what hostile text can do ---------------------------------------------------------------------

NAMES = st.text(st.sampled_from("-.abf019_xZ%/é\n"), max_size=30)


@given(NAMES)
def test_a_stamp_is_what_the_loader_sees(name: str) -> None:
    found = visible_hash(name)
    if is_stamp(found):
        assert found is not None
        assert f"-{found}." in name
        assert 8 <= len(found) <= 64
    assert isinstance(is_generic(name), bool)


@given(st.text(max_size=60) | st.builds("https://{}/{}".format, st.text(max_size=20), NAMES))
def test_any_text_as_a_url(url: str) -> None:
    assert "/" not in cache_name(url) or "[" in url
    assert len(shown(url)) <= len(url)


@given(
    st.lists(
        st.builds("http{}://{}".format, st.sampled_from(["", "s"]), st.text(max_size=40)),
        max_size=4,
    )
)
def test_any_urls_in_a_repository(urls: list[str]) -> None:
    from tempfile import TemporaryDirectory

    lines = "\n".join(f"{LOAD}({url!r})" for url in urls) or "pass"
    with TemporaryDirectory() as folder:
        found = diagnostics(Path(folder), {"hubconf.py": hubconf(lines).encode("utf-8", "replace")})
    assert all(item.code.startswith("HUB4") for item in found)
