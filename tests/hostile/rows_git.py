"""The row about git: a repository, its server's side and a reference that would run something."""

from __future__ import annotations

import subprocess
from pathlib import Path

from victim import Row, Victim

from publishing import Link, Repository, clean_environment

_HUBCONF = """
def net():
    "x"
    kept = sorted(name for name in os.listdir(os.path.dirname(__file__)) if name != "__pycache__")
    target = open(os.path.join(os.path.dirname(__file__), "passwd.pth")).read()
    return type("Kept", (torch.nn.Module,), {"__qualname__": json.dumps([kept, target])})()
"""
_TARGETS = (
    "octo/net:--upload-pack=COMMAND", "octo/net:-oProxyCommand=COMMAND", "octo/net:v1.0;COMMAND",
    "--upload-pack=COMMAND/net:v1.0", "octo/net:$(COMMAND)", "octo/net:`COMMAND`", "file:///etc",
    "octo/net:v1.0\nCOMMAND", "ssh://-oProxyCommand=COMMAND/octo/net", "ext::sh -c COMMAND",
    "octo/..:v1.0", "../octo:v1.0", "octo/net:@{-1}", "octo/net:v1.0..main", "octo/net:v1.0^{/x}",
    "octo/net:refs/../../x", "octo/net:\x1b]52;c;eA==\x07",
)  # fmt: skip
_SETTINGS = """
[core]
    fsmonitor = PROGRAM
    hooksPath = FOLDER/hooks
    sshCommand = PROGRAM
    pager = PROGRAM
    askPass = PROGRAM
    gitProxy = PROGRAM
    alternateRefsCommand = PROGRAM
[uploadpack]
    packObjectsHook = PROGRAM
[credential]
    helper = !PROGRAM
[filter "evil"]
    smudge = PROGRAM
    clean = PROGRAM
    required = true
[tar "zip"]
    command = PROGRAM
[init]
    templateDir = FOLDER
[url "ext::PROGRAM "]
    insteadOf = MIRROR
[alias]
    fetch = !PROGRAM
"""
_VARIABLES = {
    "GIT_CONFIG_GLOBAL": "FOLDER/config", "GIT_CONFIG_SYSTEM": "FOLDER/config",
    "GIT_CONFIG_NOSYSTEM": "0", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "PROGRAM", "GIT_SSH_COMMAND": "PROGRAM", "GIT_SSH": "PROGRAM",
    "GIT_ASKPASS": "PROGRAM", "GIT_EXTERNAL_DIFF": "PROGRAM", "GIT_PROXY_COMMAND": "PROGRAM",
    "GIT_TEMPLATE_DIR": "FOLDER", "GIT_DIR": "FOLDER", "GIT_PAGER": "PROGRAM",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "FOLDER",
}  # fmt: skip
_HOOKS = (
    "post-checkout", "reference-transaction", "pre-auto-gc", "post-index-change", "pre-receive",
    "update", "post-update", "fsmonitor-watchman",
)  # fmt: skip


def _plant(folder: Path, victim: Victim) -> dict[str, str]:
    """Programs that leave a file in the caller's directory, wherever git looks for one."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\necho planted >> {victim.caller}/planted\nexit 1\n")
    program.chmod(0o755)
    (folder / "hooks").mkdir()
    for name in _HOOKS:
        (folder / "hooks" / name).symlink_to(program)

    def filled(text: str) -> str:
        text = text.replace("PROGRAM", str(program)).replace("FOLDER", str(folder))
        return text.replace("MIRROR", victim.mirror.url)

    (folder / "config").write_text(filled(_SETTINGS))
    return {name: filled(value) for name, value in _VARIABLES.items()}


def _git(victim: Victim) -> str:
    planted = victim.out / "git"
    planted.mkdir()
    variables = _plant(planted, victim)
    published = victim.publish(
        _HUBCONF,
        {
            ".gitattributes": (
                "*.bin filter=evil\nhidden export-ignore\nid export-subst\n*.txt eol=crlf\n"
            ),
            ".gitmodules": f'[submodule "m"]\n\tpath = m\n\turl = ext::{planted}/program\n',
            ".lfsconfig": f"[lfs]\n\turl = ext::{planted}/program\n",
            "data.bin": "x",
            "hidden": "x",
            "id": "$Format:%H$",
            "passwd.pth": Link("/etc/passwd"),
            "up": Link("../../../../etc"),
        },
    )
    inside = published.path / ".git"
    with (inside / "config").open("a") as file:
        file.write((planted / "config").read_text())
    for name in _HOOKS:
        (inside / "hooks").mkdir(exist_ok=True)
        (inside / "hooks" / name).symlink_to(planted / "program")
    _springs(published, variables, victim.caller / "planted")
    run = victim.verify(extra=variables)
    assert run.axis("net") == ("pass", ""), run.axis("net")
    kept = run.report["entrypoints"][0]["results"][0]["claims"]["type"]
    assert '"hidden"' not in kept
    assert kept.endswith('"/etc/passwd"]')
    command = f"{planted}/program"
    for target in _TARGETS:
        done, _ = victim.call("verify", target.replace("COMMAND", command), extra=variables)
        assert done.returncode in {2, 4}, (target, done.returncode, done.stderr)
    return f"nothing ran; {len(_TARGETS)} references refused"


def _springs(published: Repository, variables: dict[str, str], proof: Path) -> None:
    """The trap is a trap: git as anybody calls it runs the program."""
    ours = {name: value for name, value in variables.items() if name != "GIT_DIR"}
    command = ["git", "-C", str(published.path), "status"]
    subprocess.run(command, env=clean_environment(published.home) | ours, capture_output=True)
    proof.unlink()


ROWS: tuple[Row, ...] = (Row(34, "have git run something", _git),)
