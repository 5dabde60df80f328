"""HUB311: a name that was to be replaced is found, and a reader's own is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import RunHubpub
from hubpub import check
from hubpub.config import Settings
from publishing import Repository, write_files

HUBCONF = '''import torch

dependencies = ["torch"]


def tiny(pretrained=False):
    """A tiny net. pretrained: with weights."""
    {body}
    return torch.nn.Linear(2, 1)
'''
FETCH = "torch.hub.load_state_dict_from_url({!r})"
LOAD = 'torch.hub.load("{}:v1.0", "{}", trust_repo=True)'


def found(root: Path, body: str = "pass", readme: str = "# net\n") -> list[tuple[str, str]]:
    """(severity, help) of each finding."""
    write_files(root, {"hubconf.py": HUBCONF.format(body=body), "README.md": readme})
    result = check.check(root, Settings(select=("HUB311",))).diagnostics
    return [(item.severity.label, item.help or "") for item in result]


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("https://github.com/OWNER/net/releases/download/v1/a.pth", 1),
        ("https://www.github.com/your-name/net/releases/download/v1/a.pth", 1),
        ("https://raw.githubusercontent.com/<owner>/net/v1/a.pth", 1),
        ("https://huggingface.co/YOUR_NAME/net/resolve/v1/a.pth", 1),
        ("https://github.com/octo/repo/releases/download/v1/a.pth", 0),
        ("https://example.org/user/a.pth", 0),
        ("https://github.com", 0),
        ("https://[github.com/OWNER/a.pth", 0),
    ],
)
def test_the_url_of_a_checkpoint(url: str, count: int, tmp_path: Path) -> None:
    assert len(found(tmp_path, FETCH.format(url))) == count


@pytest.mark.parametrize(
    ("repository", "entrypoint", "in_code", "in_readme"),
    [
        ("OWNER/net", "tiny", ["error"], ["note"]),
        ("your-name/net", "tiny", ["error"], ["note"]),
        ("OWNER/net", "another", ["error"], []),  # an example of how anything is loaded
        ("octo/repo", "tiny", [], []),
        ("octo/net", "tiny", [], []),
    ],
)
def test_a_hub_call(
    repository: str, entrypoint: str, in_code: list[str], in_readme: list[str], tmp_path: Path
) -> None:
    line = LOAD.format(repository, entrypoint)
    assert [severity for severity, _ in found(tmp_path / "code", line)] == in_code
    assert [severity for severity, _ in found(tmp_path / "readme", readme=line)] == in_readme


def test_a_directory_is_no_owner(tmp_path: Path) -> None:
    assert found(tmp_path, 'torch.hub.load("user/net", "tiny", source="local")') == []


def test_the_remote_says_who_it_is(tmp_path: Path) -> None:
    root = tmp_path / "net"
    root.mkdir()
    repository = Repository(root, tmp_path / "home")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("remote", "add", "origin", "https://github.com/octo/net.git")
    assert found(root, readme=LOAD.format("OWNER/net", "tiny")) == [("note", "write octo")]
    # Somebody is called so.
    repository.git("remote", "set-url", "origin", "https://github.com/owner/net.git")
    assert found(root, readme=LOAD.format("OWNER/net", "tiny")) == []


def test_what_init_left_to_be_replaced_is_found(hubpub: RunHubpub, tmp_path: Path) -> None:
    root = tmp_path / "net"
    root.mkdir()
    assert hubpub("init", "--yes", "--name", "skynet", cwd=root).returncode == 0
    done = hubpub("check", "--output-format", "concise", "--fail-on", "note", cwd=root)
    assert (done.returncode, "HUB311" in done.stdout) == (1, True), done.stdout
    assert hubpub("init", "--yes", "--owner", "octo", root.parent / "catnet").returncode == 0
    done = hubpub("check", root.parent / "catnet", "--fail-on", "note")
    assert done.returncode == 0, done.stdout
