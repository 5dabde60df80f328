"""HUB303, HUB306 to HUB310 and HUB606: where they speak, and above all where they stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub import check
from hubpub.config import Settings
from publishing import Files, Link, Repository, write_files

HUBCONF = '''import torch

dependencies = ["torch"]


def tiny(pretrained=False):
    """A tiny net. pretrained: with weights."""
    model = torch.nn.Linear(2, 1)
    if pretrained:
        model.load_state_dict(torch.hub.load_state_dict_from_url({url!r}))
    return model
'''
PLAIN = HUBCONF.format(url="https://example.org/tiny.pth")
SHOWN = 'torch.hub.load("octo/net:v1.0", "tiny")'


def found(root: Path, files: Files, *codes: str) -> list[str]:
    write_files(root, {"hubconf.py": PLAIN, **files})
    return [item.code for item in check.check(root, Settings(select=codes)).diagnostics]


def clone(
    root: Path,
    *,
    branches: tuple[str, ...] = ("main",),
    default: str | None = "main",
    tags: tuple[str, ...] = ("v1.0",),
    every: bool = True,
    remote: str = "https://github.com/octo/net.git",
) -> Path:
    """``root`` as a clone that has fetched ``branches``; ``every``: it fetches all there are."""
    root.mkdir(exist_ok=True)
    repository = Repository(root, root.parent / "home")
    repository.git("init", "--quiet", "--initial-branch=local")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "first")
    repository.git("remote", "add", *(() if every else ("-t", "x")), "origin", remote)
    for tag in tags:
        repository.git("tag", tag)
    for branch in branches:
        repository.git("update-ref", f"refs/remotes/origin/{branch}", "HEAD")
    if default:
        head = f"refs/remotes/origin/{default}"
        repository.git("symbolic-ref", "refs/remotes/origin/HEAD", head)
    return root


@pytest.mark.parametrize(
    ("url", "moves"),
    [
        ("https://huggingface.co/octo/net/resolve/main/a.pth", True),
        ("https://huggingface.co/octo/net/resolve/main/a.pth?download=true", True),
        ("https://huggingface.co/datasets/octo/net/resolve/main/x/a.pth", True),
        ("https://huggingface.co/octo/net/resolve/v1.0/a.pth", False),
        (
            "https://huggingface.co/octo/net/resolve/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567/a.pth",
            0,
        ),
        ("https://raw.githubusercontent.com/octo/net/master/weights/a.pth", True),
        ("https://raw.githubusercontent.com/octo/net/refs/heads/any/a.pth", True),
        ("https://raw.githubusercontent.com/octo/net/refs/tags/main/a.pth", False),
        ("https://raw.githubusercontent.com/octo/net/v1.0/a.pth", False),
        ("https://raw.githubusercontent.com/octo/net/release/a.pth", True),  # a branch of ours
        ("https://raw.githubusercontent.com/other/net/release/a.pth", False),
        ("https://media.githubusercontent.com/media/octo/net/main/a.pth", True),
        ("https://github.com/octo/net/raw/main/a.pth", True),
        ("https://github.com/octo/net/blob/main/a.pth?raw=true", True),
        ("https://github.com/octo/net/blob/main/a.pth", False),  # a page: HUB409
        ("https://github.com/octo/net/releases/latest/download/a.pth", True),
        ("https://github.com/octo/net/releases/download/v1.0/a.pth", False),
        ("https://github.com/octo/net/releases/download/latest/a.pth", False),
        ("https://gitlab.com/octo/net/-/raw/master/a.pth", True),
        ("https://gitlab.com/octo/net/-/raw/v1.0/a.pth", False),
        ("https://example.org/octo/net/resolve/main/a.pth", False),
        ("https://[/octo/net/raw/main/a.pth", False),
    ],
)
def test_mutable_url(url: str, moves: bool, tmp_path: Path) -> None:
    root = clone(tmp_path / "r", branches=("main", "release"))
    files = {"hubconf.py": HUBCONF.format(url=url)}
    assert found(root, files, "HUB306") == ["HUB306"] * bool(moves)


@pytest.mark.parametrize(
    ("readme", "codes"),
    [
        ('torch.hub.load("octo/net:v1.0", "tiny")', []),
        ('torch.hub.load("Octo/Net:v1.0", "tiny")', []),
        ('torch.hub.load("fork/net:v1.0", "tiny")', ["HUB307"]),
        ('torch.hub.load("fork/net:v1.0", name)', ["HUB307"]),
        ('torch.hub.load("octo/old-net:v1.0", "tiny")', ["HUB307"]),
        ('torch.hub.load("octo/other:v1.0", "big")', []),
        ('torch.hub.load("octo/other:v1.0", name)', []),
        ('torch.hub.load("other/net:v1.0", "resnet18")', []),  # another's, which is called so too
        ('torch.hub.load("pytorch/vision:v0.22.0", "tiny")', []),
        ('torch.hub.load("your-name/net:v1.0", "tiny")', []),
        ('torch.hub.load("<owner>/net:v1.0", "tiny")', []),
        ('torch.hub.load("net/net", "tiny", source="local")', []),
    ],
)
def test_foreign_example(readme: str, codes: list[str], tmp_path: Path) -> None:
    root = clone(tmp_path / "r")
    assert found(root, {"README.md": readme}, "HUB307") == codes
    assert found(tmp_path / "no-git", {"README.md": readme}, "HUB307") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", '[project.urls]\nHomepage = "https://github.com/fork/net"\n'),
        ("pyproject.toml", '[project.urls]\n"Source Code" = "https://github.com/fork/net.git"\n'),
        ("pyproject.toml", '[tool.poetry]\nrepository = "https://github.com/fork/net"\n'),
        ("setup.cfg", "[metadata]\nurl = https://github.com/fork/net\n"),
        (
            "setup.cfg",
            "[metadata]\nproject_urls =\n  Bug Tracker = https://github.com/fork/net/issues\n",
        ),
        ("setup.py", 'setup(\n    name="net",\n    url="https://github.com/fork/net",\n)\n'),
        (
            "setup.py",
            'setup(\n    project_urls={\n        "Source": "https://github.com/fork/net"}\n)\n',
        ),
    ],
)
def test_packaging_says_who_owns_it_too(path: str, text: str, tmp_path: Path) -> None:
    files = {"README.md": 'torch.hub.load("fork/net:v1.0", "tiny")', path: text}
    assert found(clone(tmp_path / "r"), files, "HUB307") == []
    files["README.md"] = 'torch.hub.load("octo/net:v1.0", "tiny")'
    assert found(tmp_path / "alone", files, "HUB307") == ["HUB307"]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ('os.path.join(torch.hub.get_dir(), "octo_net_master")', 1),
        ('os.path.join(torch.hub.get_dir(), "octo_net_main", "names.txt")', 1),
        ('torch.hub.get_dir() + "/octo_net_master/names.txt"', 1),
        ('f"{torch.hub.get_dir()}/octo_net_main/names.txt"', 1),
        ('os.path.expanduser("~/.cache/torch/hub/checkpoints/a.pth")', 1),
        ('pathlib.Path.home() / ".cache/torch/hub"', 1),
        ('os.path.join(os.path.expanduser("~"), ".cache", "torch", "hub")', 1),
        ('"/root/.cache/torch/checkpoints/a.pth"', 1),
        ('os.path.join(torch.hub.get_dir(), "checkpoints", "a.pth")', 0),
        ('os.path.join(torch.hub.get_dir(), "tiny_v2")', 0),
        ('os.path.join("data", "octo_net_master")', 0),  # no folder of torch.hub's
        ('"the cache is ~/.cache/torch/hub by default"', 0),
        ('os.path.expanduser("~/.cache/octo")', 0),
        ('os.path.join(os.path.dirname(__file__), "names.txt")', 0),
    ],
)
def test_hard_coded_cache_path(line: str, count: int, tmp_path: Path) -> None:
    imports = "import os\nimport pathlib\nimport torch\n"
    text = PLAIN.replace("import torch\n", f"{imports}\nx = {line}\n", 1)
    assert found(tmp_path, {"hubconf.py": text}, "HUB308") == ["HUB308"] * count
    own = {
        "hubconf.py": PLAIN.replace("import torch\n", "import torch\nimport tiny_net\n", 1),
        "tiny_net.py": f"{imports}x = {line}\n",
        "other.py": 'import torch.hub\nx = torch.hub.get_dir() + "/a_b_master"\n',  # nobody runs it
    }
    assert found(tmp_path, own, "HUB308") == ["HUB308"] * count


@pytest.mark.parametrize(
    ("about", "codes"),
    [
        ({"tags": ()}, ["HUB309"]),
        ({}, []),
        ({"tags": (), "branches": (), "default": None}, []),  # it was never pushed
    ],
)
def test_tagless(about: dict[str, tuple[str, ...]], codes: list[str], tmp_path: Path) -> None:
    root = clone(tmp_path / "r", **about)  # type: ignore[arg-type]
    assert found(root, {}, "HUB309") == codes
    (root / ".git" / "shallow").write_text("0" * 40 + "\n")
    assert found(root, {}, "HUB309") == []


@pytest.mark.parametrize(
    ("branches", "default", "every", "said"),
    [
        (("main",), "main", True, None),
        (("master",), "master", True, None),
        (("main", "master"), "main", True, None),
        (("main", "master"), "master", True, "gets main"),
        (("main", "master"), "master", False, None),
        (("develop", "master"), "develop", True, "gets master"),
        (("develop",), "develop", True, "finds neither main nor master"),
        (("develop",), "develop", False, "does not take it"),
        (("develop",), None, True, "finds neither main nor master"),
        (("develop",), None, False, None),
        (("main", "develop"), None, True, None),
        ((), None, True, None),
    ],
)
def test_default_branch(
    branches: tuple[str, ...], default: str | None, every: bool, said: str | None, tmp_path: Path
) -> None:
    root = clone(tmp_path / "r", branches=branches, default=default, every=every)
    write_files(root, {"hubconf.py": PLAIN})
    result = check.check(root, Settings(select=("HUB310",)))
    assert [item.code for item in result.diagnostics] == ["HUB310"] * (said is not None)
    if said == "does not take it":
        assert "which a load without a ref does not take" in result.diagnostics[0].message
    elif said is not None:
        assert said in result.diagnostics[0].message


@pytest.mark.parametrize(
    ("ref", "codes"),
    [("release", ["HUB303"]), ("local", ["HUB303"]), ("v1.0", []), ("both", []), ("unknown", [])],
)
def test_a_branch_of_this_repository_moves(ref: str, codes: list[str], tmp_path: Path) -> None:
    root = clone(tmp_path / "r", branches=("main", "release", "both"), tags=("v1.0", "both"))
    readme = {"README.md": f'torch.hub.load("octo/net:{ref}", "tiny")'}
    assert found(root, readme, "HUB303") == codes
    foreign = {"README.md": f'torch.hub.load("other/net:{ref}", "tiny")'}
    assert found(root, foreign, "HUB303") == []


@pytest.mark.parametrize(
    ("path", "text", "codes"),
    [
        ("README.md", SHOWN, []),
        ("README.md", "# net\n", ["HUB606"]),
        (None, "", ["HUB606"]),
        ("README.rst", f"{SHOWN}\n", []),
        ("sub/README.md", SHOWN, []),
        ("docs/index.md", SHOWN, ["HUB606"]),
        ("README.md", 'torch.hub.load("fork/net", "tiny")', []),  # HUB307 says it
        ("README.md", 'torch.hub.load("pytorch/vision", "resnet18")', ["HUB606"]),
        ("README.md", 'torch.hub.load("<owner>/<repo>", "tiny")', []),
        ("README.md", "model = torch.hub.load(repo, **more", []),  # it cannot be read
        ("README.md", 'torch.hub.load(".", "tiny", source="local")', []),
    ],
)
def test_no_load_example(path: str | None, text: str, codes: list[str], tmp_path: Path) -> None:
    files = {} if path is None else {path: text}
    assert found(clone(tmp_path / "r"), files, "HUB606") == codes


@pytest.mark.parametrize("before", ["# net\n", "# net", "# net\r\n\r\nText.\r\n", ""])
def test_an_example_is_added(before: str, tmp_path: Path) -> None:
    root = clone(tmp_path / "r")
    write_files(root, {"README.md": before.encode(), "hubconf.py": PLAIN})
    check.fix(root, Settings(select=("HUB606",)))
    after = (root / "README.md").read_bytes().decode()
    assert after.startswith(before)
    line = 'model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)'
    assert line in after.splitlines()
    assert after.count("\r\n") == (after.count("\n") if "\r" in before else 0)
    assert found(root, {}, "HUB3", "HUB606") == []


@pytest.mark.parametrize("lack", ["tag", "owner", "entrypoint", "readme"])
def test_no_example_can_be_written(lack: str, tmp_path: Path) -> None:
    remote = "https://example.org/octo/net" if lack == "owner" else "https://github.com/octo/net"
    root = clone(tmp_path / "r", tags=() if lack == "tag" else ("v1.0",), remote=remote)
    files: dict[str, str | bytes | Link] = {"hubconf.py": PLAIN, "README.md": "# net\n"}
    if lack == "entrypoint":
        files["hubconf.py"] = PLAIN.replace("pretrained=False", "pretrained")
    if lack == "readme":
        del files["README.md"]
    write_files(root, files)
    fixed = check.fix(root, Settings(select=("HUB606",)))
    assert fixed.changed == {}
    assert [item.fix for item in fixed.result.diagnostics] == [None]


@pytest.mark.parametrize("tag", ['v2.0"', "v2.0'x", "v2.0`"])
def test_a_tag_that_breaks_out_of_its_quotes_is_never_written(tag: str, tmp_path: Path) -> None:
    root = clone(tmp_path / "r", tags=("v1.0", tag))
    readme = 'x = torch.hub.load("octo/net{pin}", "tiny")\n'
    write_files(root, {"hubconf.py": PLAIN, "README.md": readme.format(pin="")})
    check.fix(root, Settings(select=("HUB302",)))
    assert (root / "README.md").read_text() == readme.format(pin=":v1.0")
