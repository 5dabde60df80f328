"""``hubpub init`` in a package that is there already, and in a repository with a hubconf.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub import config
from publishing import Files, clean_environment, write_files

NET = '''
import numpy
from torch import nn

from .parts import Tail


class SkyNet(nn.Module):
    """Tell clouds from sky.

    Args:
        classes: how many kinds of clouds.
    """

    def __init__(self, classes: int = 3, model="small", norm=nn.ReLU, width=None):
        super().__init__()
        self.tail = Tail(classes)
        self.norm = norm()

    def forward(self, images):
        """Images (N, 4) to logits (N, classes)."""
        return self.tail(self.norm(images))
'''
PARTS = """
from torch import nn


class Tail(nn.Linear):
    def __init__(self, classes):
        super().__init__(4, classes)


class Unused(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
"""
PACKAGE: Files = {
    "clouds/__init__.py": "",
    "clouds/nets.py": NET,
    "clouds/parts.py": PARTS,
    "pyproject.toml": '[project]\nname = "clouds"\ndescription = "Clouds"\n'
    'authors = [{name = "Ädä Œuvre"}]\nlicense = "MIT"\n',
}
LOAD = """
import sys, torch
model = torch.hub.load(sys.argv[1], sys.argv[2], source="local")
print(type(model).__module__, type(model).__name__, model.training)
print(model(torch.zeros(2, 4)).tolist())
"""


def content(folder: Path) -> dict[str, bytes]:
    """Every file of the work tree, git's own aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def load(folder: Path, name: str, tmp_path: Path) -> list[str]:
    """What the real loader gives, from another directory."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), name],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def findings(hubpub: RunHubpub, folder: Path) -> list[str]:
    done = hubpub("check", "--output-format", "json", "--exit-zero", folder)
    return [item["code"] for item in json.loads(done.stdout)["diagnostics"]]


# --- an existing package --------------------------------------------------------------------------


def test_a_package_gets_an_entrypoint_for_its_network(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    made = repository(PACKAGE, tags=("v1.2",))
    made.git("remote", "add", "origin", "git@github.com:octo/clouds.git")
    before = content(made.path)
    done = hubpub("init", "--model", "SkyNet", "--without", "workflow,precommit", cwd=made.path)
    assert done.returncode == 0, done.stderr
    assert "found networks: clouds.nets.SkyNet" in done.stderr
    assert "torch.hub.load takes 'model' for itself, so that it is called 'model_'" in done.stderr
    assert "norm keeps its default, nn.ReLU" in done.stderr
    after = content(made.path)
    assert {path: after[path] for path in before} == before
    text = after["hubconf.py"].decode()
    assert 'dependencies = ["torch", "numpy"]' in text
    assert 'def skynet(classes: int = 3, model_="small", width=None, checkpoint=None):' in text
    assert "    from clouds.nets import SkyNet as _SkyNet\n" in text
    assert 'torch.hub.load("octo/clouds:v1.3", "skynet", trust_repo=True)' in text
    assert "classes (int): how many kinds of clouds." in text
    assert findings(hubpub, made.path) == []
    assert load(made.path, "skynet", tmp_path)[0] == "clouds.nets SkyNet False"


def test_what_is_left_to_choose_is_taken_without_asking(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path / "sky", PACKAGE)
    done = hubpub("init", "sky", "--owner", "octo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "sky/hubconf.py").read_text()
    assert "def skynet(" in text
    assert "def unused(size, checkpoint=None):" in text
    assert "a caller must give size: --value Unused.size=LITERAL writes a default" in done.stderr


@pytest.mark.slow
def test_the_smoke_test_it_writes_passes(hubpub: RunHubpub, tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    write_files(folder, PACKAGE)
    hubpub("init", folder, "--owner", "octo")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_names_and_values_can_be_given(hubpub: RunHubpub, tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    write_files(folder, PACKAGE)
    done = hubpub(
        "init", folder, "--owner", "octo", "--model", "Unused=plain", "--value", "size=7",
        "--model", "clouds.nets.SkyNet=clouds", "--value", "SkyNet.classes=5",
        "--dependency", "einops", "--tag", "v3", "--with", "workflow",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = (folder / "hubconf.py").read_text()
    assert "def plain(size=7, checkpoint=None):" in text
    assert "def clouds(classes: int = 5," in text
    assert 'dependencies = ["torch", "numpy", "einops"]' in text
    assert '"octo/sky:v3", "plain"' in text
    workflow = (folder / ".github/workflows/hubpub.yml").read_text()
    assert "Install here what hubconf.py declares: numpy, einops." in workflow


def test_a_package_below_src_is_imported_from_there(hubpub: RunHubpub, tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    files = {path.replace("clouds/", "src/clouds/"): text for path, text in PACKAGE.items()}
    write_files(folder, files)
    assert hubpub("init", folder, "--owner", "octo", "--model", "SkyNet").returncode == 0
    assert findings(hubpub, folder) == []
    assert load(folder, "skynet", tmp_path)[0] == "clouds.nets SkyNet False"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "Nowhere"), "there is no network called 'Nowhere'"),
        (("--model", "SkyNet=class"), "'class' cannot be a public function's"),
        (("--model", "SkyNet=a", "--model", "Unused=a"), "two networks would be the entrypoint"),
        (("--entrypoint", "x"), "--entrypoint is for one network, and there are 2"),
        (("--value", "SkyNet.depth=3"), "fits no parameter"),
        (("--value", "SkyNet.classes=three"), "is no literal of Python"),
        (("--value", "SkyNet.classes"), "fits no parameter"),
        (("--kind", "nothing"), "--kind 'nothing' is not known"),
        (("--kind", "custom", "--model", "SkyNet"), "contradict each other"),
        (("--with", "everything"), "'everything' is not known"),
        (("--dependency", "opencv-python"), "is not the name of a module"),
        (("--tag", "a b"), "cannot be the tag of a release"),
        (("--description", "a\nb"), "cannot stand in what is written"),
        (("--holder", 'a "b"'), "cannot stand in what is written"),
        (("--apply",), "--apply is for a hubconf.py that is there"),
        (("--apply", "--diff"), "--diff writes nothing and --apply writes"),
        (("--from-timm", "hf-hub:a/b"), "is not the name of a network of timm"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(
    hubpub: RunHubpub, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    folder = tmp_path / "sky"
    write_files(folder, PACKAGE)
    before = content(folder)
    done = hubpub("init", folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert content(folder) == before


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_the_diff_can_be_applied_and_is_what_init_writes(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path, where: str
) -> None:
    made = repository(PACKAGE)
    folder, cwd = (Path(), made.path) if where == "here" else (made.path, tmp_path)
    done = hubpub("init", "--owner", "octo", "--diff", folder, cwd=cwd)
    assert done.returncode == 1, done.stderr
    assert content(made.path) == {
        path: text.encode() for path, text in PACKAGE.items() if isinstance(text, str)
    }
    (tmp_path / "p.diff").write_text(done.stdout)
    depth = () if where == "here" else ("-p4",)  # a/mirror/octo/net/
    made.git("apply", *depth, str(tmp_path / "p.diff"))
    applied = content(made.path)
    made.git("clean", "-qfd")
    made.git("checkout", "-q", ".")
    assert hubpub("init", "--owner", "octo", folder, cwd=cwd).returncode == 0
    assert content(made.path) == applied


# --- a hubconf.py that is there -------------------------------------------------------------------

OLD = """import numpy
from torch import nn

def net(pretrained=False):
    return nn.Linear(2, 2)
"""


@pytest.mark.parametrize("tags", [(), ("v1.0",)])
def test_a_hubconf_that_is_there_gets_a_patch(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path, tags: tuple[str, ...]
) -> None:
    files = {"hubconf.py": OLD, "README.md": "# Net\n\n## Licence\n\nMine.\n"}
    made = repository(files, tags=tags)
    made.git("remote", "add", "origin", "https://github.com/octo/net")
    before = content(made.path)
    done = hubpub("init", cwd=made.path)
    assert done.returncode == 1, done.stderr
    assert "`hubpub init --apply` writes it" in done.stderr
    assert content(made.path) == before
    (tmp_path / "p.diff").write_text(done.stdout)
    made.git("apply", str(tmp_path / "p.diff"))
    patched = content(made.path)
    assert b"dependencies = [" in patched["hubconf.py"]
    assert patched["README.md"].startswith(b"# Net\n\n## ")
    assert b"## Licence\n\nMine.\n" in patched["README.md"]
    assert b'torch.hub.load("octo/net:' in patched["README.md"]
    # What only a person can mend: no licence, and an import before the check of dependencies.
    assert set(findings(hubpub, made.path)) == {"HUB605", "HUB109"}
    made.git("checkout", "-q", ".")
    made.git("clean", "-qfd")
    assert content(made.path) == before
    done = hubpub("init", "--apply", cwd=made.path)
    assert done.returncode == 0, done.stderr
    assert "changed hubconf.py\n" in done.stdout
    assert content(made.path) == patched


@pytest.mark.parametrize("published", [False, True])
def test_settings_for_entrypoints_of_ones_own_expect_nothing_of_a_sample(
    hubpub: RunHubpub, tmp_path: Path, published: bool
) -> None:
    write_files(tmp_path, {**PACKAGE, **({"hubconf.py": OLD} if published else {})})
    options = ("--apply",) if published else ()
    done = hubpub("init", "-y", "--with", "settings", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = config.load(tmp_path)
    assert settings.path == "hubpub.toml"
    assert not settings.entrypoints  # an example stands there, as a comment
    text = (tmp_path / "hubpub.toml").read_text()
    written = text.replace("# [verify", "[verify").replace("# input", "input")
    (tmp_path / "hubpub.toml").write_text(written)
    assert config.load(tmp_path).entrypoints["NAME"].input is not None


def test_with_nothing_to_propose_nothing_is_said_to_be(
    hubpub: RunHubpub, repository: MakeRepository
) -> None:
    made = repository({"hubconf.py": OLD})
    made.git("remote", "add", "origin", "https://github.com/octo/net")
    assert hubpub("init", "--apply", cwd=made.path).returncode == 0
    made.commit({})
    done = hubpub("init", cwd=made.path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "there is nothing to propose" in done.stderr


@pytest.mark.parametrize("option", [("--kind", "custom"), ("--model", "X"), ("--from-timm", "x")])
def test_a_hubconf_that_is_there_is_not_made_anew(
    hubpub: RunHubpub, tmp_path: Path, option: tuple[str, str]
) -> None:
    write_files(tmp_path, {"hubconf.py": OLD})
    done = hubpub("init", *option, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{option[0]} makes a new hubconf.py, and there is one" in done.stderr


@pytest.mark.parametrize(
    "hubconf", ["def net(:\n", b"\xff\x00", b"x" * 2_000_000, "", "import os, sys\nwhile 1: pass\n"]
)
def test_a_hubconf_that_cannot_be_read_is_left_alone(
    hubpub: RunHubpub, tmp_path: Path, hubconf: str | bytes
) -> None:
    write_files(tmp_path, {"hubconf.py": hubconf})
    before = (tmp_path / "hubconf.py").read_bytes()
    done = hubpub("init", "--without", "readme,workflow,precommit,settings", cwd=tmp_path)
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "hubconf.py").read_bytes() == before


def test_broken_settings_are_said(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": OLD, "hubpub.toml": "select = 3\n"})
    done = hubpub("init", cwd=tmp_path)
    assert done.returncode == 2
    assert "hubpub.toml" in done.stderr
