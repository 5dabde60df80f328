"""HUB303 to HUB305 and HUB605: where they speak, and above all where they stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub import check
from hubpub.config import Settings

SUBJECT = Settings(select=("HUB303", "HUB304", "HUB305", "HUB605"))
HUBCONF = '''import torch

dependencies = ["torch"]


def net(trust=True):
    """A net. trust: ask or not."""
    return {}
'''
OWN = "torch.nn.Linear(2, 1)"


def judge(root: Path, call: str, readme: str = "", licence: bool = True) -> list[str]:
    (root / "hubconf.py").write_text(HUBCONF.format(call), encoding="utf-8")
    (root / "README.md").write_text(readme, encoding="utf-8")
    if licence:
        (root / "LICENSE").write_text("Anybody may.", encoding="utf-8")
    return [item.code for item in check.check(root, SUBJECT).diagnostics]


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        (OWN, []),
        ('torch.hub.load("octo/net:v1", "a")', ["HUB305"]),
        ('torch.hub.load("octo/net:v1", "a", trust_repo=True)', []),
        ('torch.hub.load("octo/net:v1", "a", trust_repo=None)', []),
        ('torch.hub.load("octo/net:v1", "a", trust_repo=trust)', []),
        ('torch.hub.load("octo/net:v1", "a", trust_repo=False)', ["HUB305"]),
        ('torch.hub.load("octo/net:v1", "a", trust_repo="check")', ["HUB305"]),
        ('torch.hub.load("pytorch/vision:v0.22.0", "a")', []),
        ('torch.hub.load("./net", "a", source="local")', []),
        ('torch.hub.load(input(), "a")', []),
        ('torch.hub.load("octo/net:main", "a", trust_repo=True)', ["HUB303"]),
        ('torch.hub.load("octo/net:0a1b2c3", "a", trust_repo=True)', ["HUB304"]),
        ('torch.hub.load("octo/net:refs/tags/v1", "a", trust_repo=True)', ["HUB304"]),
        ('torch.hub.load("octo/net:0a1b2c3", "a", trust_repo=True, skip_validation=True)', []),
        ('torch.hub.load("octo/net:20240131", "a", trust_repo=True)', []),
        ('torch.hub.load("octo/net:deadbeef", "a", trust_repo=True)', []),
    ],
)
def test_calls_in_code_and_in_a_readme(call: str, codes: list[str], tmp_path: Path) -> None:
    assert judge(tmp_path, call) == codes
    documented = "trust_repo=trust" not in call and "trust_repo=None" not in call
    if documented and call != OWN:
        assert judge(tmp_path, OWN, f"```python\nmodel = {call}\n```\n") == codes


def test_placeholders_are_nobody(tmp_path: Path) -> None:
    assert judge(tmp_path, OWN, 'torch.hub.load("<owner>/<repo>:main", "net")\n') == []


def test_trust_is_added_to_the_call(tmp_path: Path) -> None:
    judge(tmp_path, OWN, 'x = torch.hub.load("octo/net:v1", "a")\n')
    check.fix(tmp_path, SUBJECT)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text == 'x = torch.hub.load("octo/net:v1", "a", trust_repo=True)\n'


@pytest.mark.parametrize(
    ("path", "text", "codes"),
    [
        (None, "", ["HUB605"]),
        ("COPYING", "", []),
        ("LICENCE.md", "", []),
        ("LICENSES/MIT.txt", "", []),
        ("pyproject.toml", '[project]\nlicense = "MIT"\n', []),
        ("pyproject.toml", '[project]\nname = "net"\n', ["HUB605"]),
    ],
)
def test_a_licence(path: str | None, text: str, codes: list[str], tmp_path: Path) -> None:
    if path is not None:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert judge(tmp_path, OWN, licence=False) == codes


def test_one_name_in_a_variable_is_one_finding(tmp_path: Path) -> None:
    lines = [
        'repo = "octo/net:main"',
        *(f'{name} = torch.hub.load(repo, "{name}")' for name in "abc"),
    ]
    readme = "\n".join(["```python", *lines, "```", ""])
    assert judge(tmp_path, OWN, readme) == ["HUB303", "HUB305", "HUB305", "HUB305"]


@pytest.mark.parametrize("trust", ["False", '"check"'])
def test_a_call_that_says_not_to_trust_is_left_to_people(trust: str, tmp_path: Path) -> None:
    judge(tmp_path, f'torch.hub.load("octo/net:v1", "a", trust_repo={trust})')
    (found,) = check.check(tmp_path, SUBJECT).diagnostics
    assert (found.code, found.fix) == ("HUB305", None)
