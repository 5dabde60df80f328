"""HUB212, HUB60x: real git repositories, and what their archives lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import MakeRepository
from hubpub import check
from hubpub.config import Settings
from publishing import Files, Link, Repository, write_files

SELECT = (
    "HUB105", "HUB101", "HUB109", "HUB212", "HUB601", "HUB602", "HUB603", "HUB604", "HUB607",
)  # fmt: skip


def hubconf(body: str, top: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{top}dependencies = ["torch"]\n\n\ndef net(big=False):\n    """A net."""\n{lines}'


def judge(root: Path) -> list[str]:
    found = check.check(root, Settings(select=SELECT)).diagnostics
    return [f"{item.code} {item.severity.label} {item.message}" for item in found]


IMPORT = hubconf("from tiny_net import net", top="")
TOP = hubconf("return 1", top="from tiny_net import hidden\n")
OPEN = (
    "import os\nreturn open(os.path.join(os.path.dirname(__file__), 'data', 'labels.txt')).read()"
)
NET = "hidden = 4\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
_UNDECLARED = (
    "HUB105 error tiny_net is imported when hubconf.py is imported and is not in dependencies"
)
_IGNORED = ", and .gitattributes leaves it out of GitHub's zip"
_POINTER = ", and in GitHub's zip it is a pointer of Git LFS"
_LINK = ", and it is a symlink, or behind one: no module in the zip"
_NO_GIT = " when hubconf.py is imported: the zip has no .git"
_NOT_INSTALLED = " when hubconf.py is imported: users of torch.hub have not installed it"
_BUILT = ", so only those who installed the repository have it"
_LIES = "a submodule: empty in GitHub's zip"

FILES: dict[str, tuple[Files, list[str]]] = {
    # HUB603
    "export-ignored": (
        {"hubconf.py": IMPORT, "tiny_net.py": NET, ".gitattributes": "tiny_net.py export-ignore\n"},
        [f"HUB603 error tiny_net.py is imported{_IGNORED}"],
    ),
    "export-ignored, in a branch": (
        {
            "hubconf.py": hubconf("if big:\n    import tiny_net"),
            "tiny_net.py": NET,
            ".gitattributes": "*.py export-ignore\n/hubconf.py -export-ignore\n",
        },
        [f"HUB603 warning tiny_net.py is imported{_IGNORED}"],
    ),
    "export-ignored, guarded": (
        {
            "hubconf.py": hubconf("try:\n    import tiny_net\nexcept ImportError:\n    pass"),
            "tiny_net.py": NET,
            ".gitattributes": "tiny_net.py export-ignore\n",
        },
        [],
    ),
    "export-ignored and gone": (
        {"hubconf.py": IMPORT, ".gitattributes": "tiny_net export-ignore\n"},
        [f"HUB603 error tiny_net is imported{_IGNORED}"],
    ),
    "export-ignored, opened": (
        {
            "hubconf.py": hubconf(OPEN),
            "data/labels.txt": "cat\n",
            ".gitattributes": "data export-ignore\n",
        },
        [f"HUB603 error data/labels.txt is opened{_IGNORED}"],
    ),
    "tests are export-ignored": (
        {"hubconf.py": IMPORT, "tiny_net.py": NET, ".gitattributes": "tests export-ignore\n"},
        [],
    ),
    "written, not read": (
        {
            "hubconf.py": hubconf(OPEN.replace("')).read", "'), 'w').write")),
            "data/labels.txt": "",
            ".gitattributes": "data export-ignore\n",
        },
        [],
    ),
    # HUB602
    "a pointer": (
        {"hubconf.py": hubconf(OPEN), "data/labels.txt": LFS},
        [f"HUB602 warning data/labels.txt is opened{_POINTER}"],
    ),
    "a file of LFS that the clone has": (
        {
            "hubconf.py": hubconf(OPEN),
            "data/labels.txt": "cat\n",
            ".gitattributes": "*.txt filter=lfs diff=lfs merge=lfs -text\n",
        },
        [f"HUB602 warning data/labels.txt is opened{_POINTER}"],
    ),
    "a pointer that nothing opens": (
        {"hubconf.py": hubconf("return 1"), "data/labels.txt": LFS},
        [],
    ),
    # HUB604
    "a link": (
        {"hubconf.py": TOP, "src/tiny_net.py": NET, "tiny_net.py": Link("src/tiny_net.py")},
        [f"HUB604 error tiny_net.py is imported{_LINK}"],
    ),
    "a linked folder": (
        {
            "hubconf.py": hubconf("import tiny.net"),
            "src/net.py": NET,
            "src/__init__.py": "",
            "tiny": Link("src"),
        },
        [f"HUB604 error tiny/net.py is imported{_LINK}"],
    ),
    "a link that nothing imports": (
        {"hubconf.py": IMPORT, "tiny_net.py": NET, "old.py": Link("tiny_net.py")},
        [],
    ),
    # HUB212
    "in other letters": (
        {"hubconf.py": TOP, "Tiny_Net.py": NET},
        ["HUB212 error tiny_net is imported, and the tree holds it as Tiny_Net.py"],
    ),
    "a slip": (
        {"hubconf.py": TOP, "tiny_nets.py": NET},
        ["HUB212 error tiny_net is imported, and the tree holds no such module"],
    ),
    "a part that is missing": (
        {"hubconf.py": hubconf("import nets.tiny"), "nets/__init__.py": ""},
        ["HUB212 error nets.tiny is imported, and the tree holds no such module"],
    ),
    "a part that is missing, in a branch": (
        {"hubconf.py": hubconf("if big:\n    import nets.tiny"), "nets/__init__.py": ""},
        ["HUB212 warning nets.tiny is imported, and the tree holds no such module"],
    ),
    "a part that is missing, with a fallback": (
        {
            "hubconf.py": hubconf(
                "return 1", top="try:\n    import nets.tiny\nexcept ImportError:\n    nets = 1\n"
            ),
            "nets/__init__.py": "",
        },
        [],
    ),
    "a part that is missing, where that may not run": (
        {
            "hubconf.py": hubconf(
                "return 1", top="import os\nif os.environ.get('X'):\n    import nets.tiny\n"
            ),
            "nets/__init__.py": "",
        },
        [],
    ),
    "a finder of its own": (
        {
            "hubconf.py": hubconf("import nets.tiny"),
            "nets/__init__.py": "import sys\nsys.meta_path.append(object())\n",
        },
        [],
    ),
    "somewhere else": (
        {"hubconf.py": TOP, "src/tiny_net/__init__.py": NET},
        [
            (
                "HUB212 error tiny_net is imported, and the tree holds it as src/tiny_net, where "
                "Python does not look"
            )
        ],
    ),
    "somewhere else, and required": (
        {
            "hubconf.py": TOP,
            "src/tiny_net/__init__.py": NET,
            "requirements.txt": "tiny-net>=1\n",
        },
        [_UNDECLARED],
    ),
    "a package that everybody knows": (
        {"hubconf.py": hubconf("import wandb"), "utils/wandb/__init__.py": "", "Wandb.py": ""},
        ["HUB105 warning wandb is imported by net and is not in dependencies"],
    ),
    "compiled": (
        {
            "hubconf.py": TOP,
            "setup.py": "setup(name='x', ext_modules=[CUDAExtension('tiny_net', ['a.cu'])])\n",
        },
        ["HUB212 error tiny_net is compiled by setup.py, which users of torch.hub do not run"],
    ),
    "compiled by what dependencies names": (
        {
            "hubconf.py": TOP.replace('["torch"]', '["torch", "tiny_pack"]'),
            "tiny_pack/__init__.py": "",
            "setup.py": "setup(name='tiny-pack', ext_modules=[Extension('tiny_net', ['a.c'])])\n",
        },
        [f"HUB212 warning tiny_net is compiled by setup.py{_BUILT}"],
    ),
    "a name that is gone": (
        {"hubconf.py": hubconf("return 1", top="from tiny_net import old\n"), "tiny_net.py": NET},
        ["HUB212 error importing hubconf.py fails: cannot import name 'old' from 'tiny_net'"],
    ),
    # HUB607
    "a version file": (
        {
            "hubconf.py": hubconf("return 1", top="import nets\n"),
            "nets/__init__.py": "from nets._version import version\n",
            "pyproject.toml": '[build-system]\nrequires = ["setuptools-scm>=8"]\n',
        },
        ["HUB607 error nets/_version.py is written by a build: users of torch.hub do not have it"],
    ),
    "git is asked": (
        {
            "hubconf.py": hubconf(
                "return 1",
                top="import subprocess\nv = subprocess.check_output(['git', 'describe'])\n",
            )
        },
        [f"HUB607 warning git is asked for a version{_NO_GIT}"],
    ),
    "git is asked, and may fail": (
        {
            "hubconf.py": hubconf(
                "return 1",
                top="import subprocess\ntry:\n    v = subprocess.check_output(['git', 'x'])\n"
                "except Exception:\n    v = ''\nsubprocess.run(['git', 'status'])\n",
            )
        },
        [],
    ),
    "the metadata of itself": (
        {
            "hubconf.py": hubconf(
                "return 1", top="from importlib.metadata import version\nv = version('tiny-net')\n"
            ),
            "setup.cfg": "[metadata]\nname = tiny_net\n",
        },
        [f"HUB607 warning tiny-net is asked for its version{_NOT_INSTALLED}"],
    ),
    "the metadata of another": (
        {
            "hubconf.py": hubconf(
                "return 1", top="from importlib.metadata import version\nv = version('torch')\n"
            ),
            "setup.cfg": "[metadata]\nname = tiny_net\n",
        },
        [],
    ),
    "the metadata of itself, caught": (
        {
            "hubconf.py": hubconf(
                "return 1",
                top="from importlib import metadata as m\ntry:\n    v = m.version('tiny-net')\n"
                "except m.PackageNotFoundError:\n    v = ''\n",
            ),
            "setup.cfg": "[metadata]\nname = tiny_net\n",
        },
        [],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, tmp_path: Path) -> None:
    files, expected = FILES[name]
    write_files(tmp_path, files)
    assert judge(tmp_path) == expected


@pytest.mark.parametrize("name", FILES)
def test_tracked_files(name: str, repository: MakeRepository) -> None:
    """The same with an index of git."""
    files, expected = FILES[name]
    assert judge(repository(files).path) == expected


def test_untracked_and_ignored(repository: MakeRepository) -> None:
    made = repository({"hubconf.py": TOP, ".gitignore": "tiny_net.py\n"})
    made.write({"tiny_net.py": NET})
    assert judge(made.path) == ["HUB212 error tiny_net.py is imported, and git does not track it"]
    made.git("add", "--force", "tiny_net.py")
    assert judge(made.path) == []


def test_a_version_file_that_only_the_publisher_has(repository: MakeRepository) -> None:
    made = repository(
        {
            "hubconf.py": hubconf("return 1", top="import nets\n"),
            "nets/__init__.py": "from ._version import version\n",
            "setup.py": "setup(use_scm_version={'write_to': 'nets/_version.py'})\n",
        }
    )
    made.write({"nets/_version.py": "version = '1'\n"})
    (found,) = judge(made.path)
    assert found.startswith("HUB607 error nets/_version.py is written by a build")


def test_a_name_that_git_spells_otherwise(repository: MakeRepository) -> None:
    """As a rename on a Mac leaves it, where git does not see the change of case."""
    made = repository({"hubconf.py": TOP, "Tiny_net.py": NET})
    (made.path / "Tiny_net.py").rename(made.path / "tiny_net.py")
    assert judge(made.path) == [
        "HUB212 error tiny_net.py is imported, and git knows it as Tiny_net.py"
    ]


def _with_submodule(repository: MakeRepository, path: str, files: Files) -> Repository:
    inner = repository({"tiny.py": NET, "__init__.py": ""}, name="octo/inner")
    made = repository(files)
    allowed = ("-c", "protocol.file.allow=always", "submodule", "--quiet")
    made.git(*allowed, "add", str(inner.path), path)
    return made


@pytest.mark.parametrize("filled", [True, False])
def test_a_submodule(repository: MakeRepository, *, filled: bool) -> None:
    files = {"hubconf.py": hubconf("import inner.tiny")}
    made = _with_submodule(repository, "inner", files)
    if not filled:
        made.git("submodule", "--quiet", "deinit", "--force", "inner")
    assert judge(made.path) == [f"HUB601 error inner.tiny lies in inner, {_LIES}"]


def test_a_submodule_on_sys_path(repository: MakeRepository) -> None:
    top = "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'third/in'))\n"
    files = {"hubconf.py": hubconf("import tiny\nimport yaml", top)}
    made = _with_submodule(repository, "third/in", files)
    yaml = "HUB105 warning yaml is imported by net and is not in dependencies"
    assert judge(made.path) == [f"HUB601 error tiny lies in third/in, {_LIES}", yaml]
    made.git("submodule", "--quiet", "deinit", "--force", "third/in")
    assert judge(made.path) == [f"HUB601 warning tiny may lie in third/in, {_LIES}", yaml]


def test_a_submodule_that_nothing_needs(repository: MakeRepository) -> None:
    made = _with_submodule(repository, "docs", {"hubconf.py": IMPORT, "tiny_net.py": NET})
    assert judge(made.path) == []


def test_without_git_nothing_is_untracked(tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": IMPORT, "tiny_net.py": NET, ".gitignore": "tiny_net.py"})
    assert judge(tmp_path) == []


def test_an_own_name_that_a_package_has_is_not_mixed_up(tmp_path: Path) -> None:
    """Declared packages are packages, whatever the tree holds beside them."""
    text = hubconf("import Tiny_net").replace('["torch"]', '["torch", "Tiny_net"]')
    write_files(tmp_path, {"hubconf.py": text, "tiny_net.py": NET})
    assert judge(tmp_path) == []
