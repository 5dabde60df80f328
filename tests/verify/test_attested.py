"""Attestations of real runs: what was proven is what is named, and a failed run writes none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from test_checkout import GitHttp

from attesting import as_numbers, as_toto
from conftest import MakeRepository, RunHubpub
from hubpub.verify import attested
from hubpub.verify.checkout import public_url
from hubpub.verify.reference import Target
from proving import HEAD, ONCE, Prove
from publishing import Mirror

DATA = b"weights of no use"
NAME = f"m-{hashlib.sha256(DATA).hexdigest()[:8]}.pth"
HUBCONF = f"""
def net():
    \"\"\"A net.\"\"\"
    with open(os.path.join(os.path.dirname(__file__), "w", "{NAME}"), "rb") as file:
        file.read()
    return torch.nn.Linear(1, 1)
"""


@pytest.mark.sandbox
def test_a_run_is_attested(prove: Prove, mirror: Mirror, hubpub: RunHubpub, tmp_path: Path) -> None:
    out, again = tmp_path / "attestation.json", tmp_path / "again.json"
    server = GitHttp(mirror)
    try:
        options = ("--github-url", server.url, "--attestation", out, *ONCE)
        run = prove(HUBCONF, *options, files={f"w/{NAME}": DATA.decode()})
    finally:
        server.close()
    assert run.code == 0, run.text
    statement = json.loads(out.read_text())
    attested.validate(statement)
    assert as_toto(out.read_text()) == as_numbers(statement)
    assert statement["predicate"] == run.report
    assert statement["subject"] == [
        {"name": f"w/{NAME}", "digest": {"sha256": hashlib.sha256(DATA).hexdigest()}},
        {
            "name": "octo/net:v1.0",
            "uri": f"git+{server.url}/octo/net@refs/tags/v1.0",
            "digest": {"gitCommit": run.report["commit"]},
        },
    ]
    assert "1 checkpoint and the commit" in run.text
    assert hubpub("report", tmp_path / "report.json", "--attestation", again).returncode == 0
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.sandbox
def test_a_run_that_fails_keeps_its_exit_code(
    repository: MakeRepository, hubpub: RunHubpub, tmp_path: Path
) -> None:
    published = repository({"hubconf.py": HEAD + "\ndef net():\n    raise ValueError\n"})
    out = tmp_path / "attestation.json"
    done = hubpub("verify", published.path, "--device", "cpu", "--attestation", out)
    assert done.returncode == 1
    assert f"{out} was not written: only a run that passes is attested" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("github", "path", "url"),
    [
        ("https://github.com", None, "https://github.com/Octo/Net"),
        ("https://github.com/", None, "https://github.com/Octo/Net"),
        ("HTTPS://u:secret@GHE.example.org:8443/git/", None,
         "https://ghe.example.org:8443/git/Octo/Net"),
        ("http://127.0.0.1:80", None, "http://127.0.0.1:80/Octo/Net"),
        ("file:///srv/mirrors", None, None),
        ("https://github.com", Path("/home/ada/net"), None),
    ],
)  # fmt: skip
def test_the_url_is_one_that_others_can_use(
    github: str, path: Path | None, url: str | None
) -> None:
    assert public_url(Target("Octo", "Net", "v1.0", path), github) == url
