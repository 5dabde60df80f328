"""What init sees in a folder before it asks: git's remote, the project, networks, checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeRepository
from hubpub.scaffold.classes import ModelClass, module_name
from hubpub.scaffold.looking import is_stamped, look
from publishing import Files, Link, write_files

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
"""


def models(folder: Path, files: Files) -> dict[str, ModelClass]:
    write_files(folder, files)
    return {model.dotted: model for model in look(folder).models}


# --- the folder -----------------------------------------------------------------------------------


def test_nothing_is_found_in_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        found = look(folder)
        assert not any((found.git, found.owner, found.models, found.hubconf, found.readme))
        assert list(found.remarks()) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:octo/sky-net.git", ("octo", "sky-net")),
        ("https://github.com/octo/sky-net", ("octo", "sky-net")),
        ("ssh://git@github.com/octo/sky.net.git", ("octo", "sky.net")),
        ("https://example.org/octo/sky-net", (None, None)),
    ],
)
def test_owner_and_name_come_from_the_remote(
    repository: MakeRepository, url: str, expected: tuple[str | None, str | None]
) -> None:
    made = repository({"a.txt": "a"}, name="some/thing", tags=("v0.9", "v0.10", "nightly"))
    made.git("remote", "add", "origin", url)
    found = look(made.path)
    assert (found.owner, found.repo) == expected
    assert found.git
    assert found.tag == "v0.10"


@pytest.mark.parametrize(
    ("files", "project", "description", "author", "dependencies"),
    [
        (
            {
                "pyproject.toml": '[project]\nname = "sky"\ndescription = "Ein Netz für Wolken"\n'
                'authors = [{name = "Ädä Œuvre", email = "a@example.org"}]\n'
                'dependencies = ["opencv-python>=4", "numpy; python_version > \'3\'", "PyYAML"]\n'
            },
            "sky", "Ein Netz für Wolken", "Ädä Œuvre", ("numpy", "cv2", "yaml"),
        ),
        (
            {
                "pyproject.toml": '[tool.poetry]\nname = "sky"\nauthors = ["Ada <a@example.org>"]\n'
                "[tool.poetry.dependencies]\npython = '^3.10'\nscikit-learn = '*'\n"
            },
            "sky", "", "Ada", ("sklearn",),
        ),
        (
            {"setup.cfg": "[metadata]\nname = sky\n[options]\ninstall_requires =\n    einops\n"},
            "sky", "", "", ("einops",),
        ),
        ({"pyproject.toml": "[project\nname ="}, "", "", "", ()),
        ({"pyproject.toml": b"\xff\xfe[project]"}, "", "", "", ()),
        ({"pyproject.toml": 'project = 3\ntool = "x"\n'}, "", "", "", ()),
        (
            {"pyproject.toml": '[project]\nname = [3]\nauthors = "x"\ndescription = "a\\u001bb"\n'},
            "", "ab", "", (),
        ),
    ],
)  # fmt: skip
def test_the_packaging_files_are_read(
    tmp_path: Path,
    files: Files,
    project: str,
    description: str,
    author: str,
    dependencies: tuple[str, ...],
) -> None:
    write_files(tmp_path, files)
    found = look(tmp_path)
    assert (found.project, found.description) == (project, description)
    assert found.author == author
    assert set(dependencies) <= set(found.dependencies)


@pytest.mark.parametrize(
    ("files", "readme", "licence", "licensed"),
    [
        ({"README.rst": ""}, "README.rst", None, False),
        ({"Readme": "", "COPYING": ""}, "Readme", "COPYING", True),
        ({"pyproject.toml": '[project]\nlicense = "MIT"\n'}, None, None, True),
        ({"docs/README.md": ""}, None, None, False),
    ],
)
def test_a_readme_and_a_licence_are_seen(
    tmp_path: Path, files: Files, readme: str | None, licence: str | None, licensed: bool
) -> None:
    write_files(tmp_path, files)
    found = look(tmp_path)
    assert (found.readme, found.licence, found.licensed) == (readme, licence, licensed)


def test_packages_and_checkpoints_are_seen(tmp_path: Path) -> None:
    files: Files = {
        "sky/__init__.py": "", "tests/__init__.py": "", "src/blue/__init__.py": "",
        "runs/last.ckpt": b"12345", "weights/sky-0a1b2c3d.pth": b"1", "a.safetensors": b"",
        "notes.bin": b"", ".git/x.pth": b"",
    }  # fmt: skip
    write_files(tmp_path, files)
    found = look(tmp_path)
    assert (found.packages, found.sources) == (("sky",), ("blue",))
    assert [(item.path, item.size, item.stamped) for item in found.checkpoints] == [
        ("a.safetensors", 0, False),
        ("runs/last.ckpt", 5, False),
        ("weights/sky-0a1b2c3d.pth", 1, True),
    ]
    lines = "\n".join(found.remarks())
    assert "weights/sky-0a1b2c3d.pth (1 bytes, stamped)" in lines


@pytest.mark.parametrize(
    ("name", "stamped"),
    [
        ("m-f37072fd.pth", True), ("yolo-v5.1-f37072fd.pth", True), ("m-F37072FD.pth", False),
        ("m_f37072fd.pth", False), ("epoch-100.pth", False), ("dcgan-c.1-f37072fd.pth", False),
    ],
)  # fmt: skip
def test_a_stamp_is_what_the_loader_reads(name: str, stamped: bool) -> None:
    assert is_stamped(name) is stamped


# --- networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a/n.py": "import torch.nn as nn\nclass N(nn.Module): ..."}, ["a.n.N"]),
        ({"a/n.py": "import torch\nclass N(torch.nn.Module): ..."}, ["a.n.N"]),
        ({"a/n.py": "from torch.nn import Module as M\nclass N(M): ..."}, ["a.n.N"]),
        ({"n.py": "from torch import nn\nclass N(nn.Sequential): ..."}, ["n.N"]),
        ({"src/a/n.py": "from torch import nn\nclass N(nn.Module): ..."}, ["a.n.N"]),
        ({"n.py": "import lightning as L\nclass N(L.LightningModule): ..."}, ["n.N"]),
        ({"n.py": "from torchvision.models import ResNet\nclass N(ResNet): ..."}, ["n.N"]),
        ({"n.py": "try:\n    from torch.nn import Module\nexcept ImportError: raise\n"
                  "class N(Module): ..."}, ["n.N"]),
        ({"a/b.py": NET, "a/c.py": "from .b import Net\nclass Big(Net): ..."},
         ["a.b.Net", "a.c.Big"]),
        ({"a/__init__.py": "from .b import Net", "a/b.py": NET,
          "a/c.py": "from . import Net\nclass Big(Net): ..."}, ["a.b.Net", "a.c.Big"]),
        ({"n.py": "from torch import nn\nclass N(nn.Linear): ..."}, ["n.N"]),
        ({"n.py": "from torch import nn\nclass N(nn.Parameter): ..."}, []),
        ({"n.py": "class N(Module): ..."}, []),
        ({"n.py": "from torch import nn\nclass _N(nn.Module): ..."}, []),
        ({"n.py": "from torch.utils.data import Dataset\nclass N(Dataset): ..."}, []),
        ({"n.py": "class A(B): ...\nclass B(A): ..."}, []),
        ({"n.py": "from n import A\nclass B(A): ..."}, []),
        ({"n.py": "class N(("}, []),
        ({"n.py": b"\x00"}, []),
        ({"tests/n.py": NET, "test_n.py": NET, "docs/n.py": NET, "setup.py": NET,
          "my-scripts/n.py": NET, "hubconf.py": NET}, []),
        ({"n.py": Link("/etc/passwd")}, []),
    ],
)  # fmt: skip
def test_networks_are_found(tmp_path: Path, files: Files, expected: list[str]) -> None:
    assert sorted(models(tmp_path, files)) == expected


def test_parts_of_networks_come_last(tmp_path: Path) -> None:
    text = (
        "import lightning as L\nfrom torch import nn\nclass Tail(nn.Module): ...\n"
        "class Net(nn.Module):\n    def __init__(self):\n        self.t = Tail()\n"
        "class FocalLoss(nn.Module): ...\nclass Wide(nn.Linear): ...\n"
        "class Training(L.LightningModule):\n    def __init__(self):\n        self.n = Net()\n"
    )
    write_files(tmp_path, {"n.py": text})
    found = look(tmp_path)
    assert [model.name for model in found.candidates()] == ["Net"]
    assert {model.name for model in found.models if model.part} == {
        "Tail", "FocalLoss", "Training", "Wide",
    }  # fmt: skip


def test_only_parts_are_better_than_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, {"n.py": "from torch import nn\nclass FocalLoss(nn.Module): ..."})
    assert [model.name for model in look(tmp_path).candidates()] == ["FocalLoss"]


def test_the_constructor_is_read(tmp_path: Path) -> None:
    text = '''
from torch import nn

class Deep(nn.Module):
    def __init__(self, depth: "int", size=(1, 2), *, norm=nn.ReLU, kind: str = 'a', **more):
        """Args:
            size (tuple): how large
                it is.
        """

    def forward(self, x):
        """Images to logits.

        More."""

class Net(Deep):
    """A net
    of nets.

    Args:
        depth: how deep.
    """
'''
    net = models(tmp_path, {"n.py": text})["n.Net"]
    assert net.summary == "A net of nets."
    assert net.forward == "Images to logits."
    assert net.open
    shown = [(item.name, item.annotation, item.default, item.literal) for item in net.arguments]
    assert shown == [
        ("depth", "int", None, False),
        ("size", "", "(1, 2)", True),
        ("norm", "", "nn.ReLU", False),
        ("kind", "str", '"a"', True),
    ]
    assert [item.keyword for item in net.arguments] == [False, False, True, True]
    assert [item.words for item in net.arguments] == ["how deep.", "how large", "", ""]


@pytest.mark.parametrize(
    ("path", "module"),
    [("a/b.py", "a.b"), ("a/__init__.py", "a"), ("src/a/b.py", "a.b"), ("src.py", "src")],
)
def test_a_file_has_a_module_name(path: str, module: str) -> None:
    assert module_name(path) == module


@given(text=st.text(max_size=300), toml=st.text(max_size=100))
def test_whatever_the_files_hold_looking_never_raises(
    tmp_path_factory: pytest.TempPathFactory, text: str, toml: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    data = f"from torch import nn\nclass N(nn.Module):\n    {text}".encode("utf-8", "replace")
    write_files(folder, {"n.py": data, "pyproject.toml": toml.encode("utf-8", "replace")})
    assert look(folder).root == folder
