"""The tier ``container``: its command lines, and what it says where no engine answers.

No engine runs where these tests do: what an engine makes of the lines is untried.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import RunHubpub
from hubpub.errors import CannotVerifyError
from hubpub.verify import sandbox
from hubpub.verify.limits import GIB, MIB, Limits
from hubpub.verify.sandbox import command, container, enter, seccomp
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.tier import WORKER, Plan

PYTHON = Interpreter("/opt/python/bin/python", ("/opt/python", "/opt/site"), ("/opt/site",))


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    folder = tmp_path / "box"
    folder.mkdir()
    sandbox.prepare(folder)
    (tmp_path / "tree").mkdir()
    mounts = (
        command.Mount(str(tmp_path / "tree"), "/tree/net"),
        command.Mount("/dev/nvidia0", "/dev/nvidia0", device=True),
        command.Mount("/not/there", "/not/there", optional=True),
    )
    with (tmp_path / "log").open("wb") as log:
        yield Plan(folder, PYTHON, mounts, log)


def line(plan: Plan, engine: str, image: str | None = None) -> list[str]:
    tier = container.Container(engine, f"{Path(engine).name} 1", image, 8 * GIB, 256)
    return tier.arguments(plan, "hubpub-1", 61300)


def bind(source: object, target: str) -> list[str]:
    return ["--mount", f"type=bind,source={source},target={target},readonly"]


def test_the_whole_line_for_docker(plan: Plan, tmp_path: Path) -> None:
    found = line(plan, "/usr/bin/docker")
    box, system = plan.folder, [bind(item.source, item.target) for item in command.system_mounts()]
    assert found[:-1] == [
        *("/usr/bin/docker", "run", "--rm", "--name", "hubpub-1", "--hostname", "hubpub"),
        *("--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
        *("--pids-limit", "512", "--memory", str(9 * GIB), "--memory-swap", str(9 * GIB)),
        *("--user", "61300:61300", "--workdir", "/", "--shm-size", str(256 * MIB)),
        *("--tmpfs", f"/tmp:rw,nosuid,nodev,size={256 * MIB},mode=1777"),
        *("--tmpfs", f"/home:rw,nosuid,nodev,size={MIB},mode=1777"),
        *("--mount", f"type=bind,source={box}/scratch,target=/scratch"),
        *bind(WORKER, "/worker/hubpub_worker"),
        *bind(enter.__file__, "/worker/enter.py"),
        *bind(box / "control", "/control"),
        *bind(box / "etc/group", "/etc/group"),
        *bind(box / "etc/passwd", "/etc/passwd"),
        *(word for mount in system for word in mount),
        *bind("/opt/python", "/opt/python"),
        *bind("/opt/site", "/opt/site"),
        *bind(tmp_path / "tree", "/tree/net"),
        *("--device", "/dev/nvidia0:/dev/nvidia0"),
        *("--entrypoint", "/opt/python/bin/python", "hubpub-empty:1"),
        *("-I", "-B", "/worker/enter.py"),
    ]
    assert json.loads(found[-1]) == {
        "control": "/control/socket",
        "filter": seccomp.program(os.uname().machine).hex(),
        "environment": {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/scratch"},
        "worker": "/worker",
        "paths": ["/opt/site"],
        "port": 3128,
    }


def test_what_podman_wants_else(plan: Plan) -> None:
    docker, podman = line(plan, "/usr/bin/docker"), line(plan, "/usr/bin/podman")
    own = ["--read-only-tmpfs=false"]  # podman alone makes /run and /tmp writable by itself
    if os.geteuid() != 0:
        own += ["--userns", "keep-id"]
    place = docker.index("--shm-size")
    assert podman == ["/usr/bin/podman", *docker[1:place], *own, *docker[place:]]


def test_an_image_brings_its_own_python(plan: Plan) -> None:
    found = line(plan, "/usr/bin/docker", "pytorch/pytorch:2.6")
    place = found.index("--entrypoint")
    assert found[place : place + 3] == ["--entrypoint", "python3", "pytorch/pytorch:2.6"]
    text = " ".join(found)
    for hidden in ("source=/usr,", "source=/opt/python,", "source=/opt/site,"):
        assert hidden not in text
    assert json.loads(found[-1])["paths"] == []


def test_a_path_that_a_mount_cannot_name_is_refused(plan: Plan) -> None:
    odd = Plan(plan.folder, Interpreter("/a,b/python", ("/a,b",), ()), (), plan.stderr)
    with pytest.raises(CannotVerifyError, match="comma") as found:
        line(odd, "/usr/bin/docker")
    assert "--sandbox bwrap" in str(found.value.help)


def test_the_empty_image_holds_folders_and_links() -> None:
    with tarfile.open(fileobj=io.BytesIO(container.empty_image())) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
    assert all(entry.isdir() or entry.issym() for entry in entries.values())
    assert {"dev", "etc", "home", "proc", "sys", "tmp", "usr"} <= set(entries)
    for name, target in command.root_links():
        assert entries[name.lstrip("/")].linkname == target


@pytest.mark.parametrize(
    ("engines", "message", "mend"),
    [
        ({}, "neither podman nor docker is installed", "apt-get install podman"),
        (
            {"docker": "echo 'Cannot connect to the Docker daemon' >&2; exit 1"},
            "docker does not answer: Cannot connect to the Docker daemon",
            "sudo systemctl start docker",
        ),
        ({"podman": "exit 125"}, "podman does not answer: no message", "podman info"),
        (
            {"docker": "exit 1", "podman": 'echo "$3 $0" >&2; exit 1'},
            "podman does not answer: {{.Client.Version}}",
            "podman info",
        ),
    ],
)
def test_where_no_engine_answers_nothing_runs(
    hubpub: RunHubpub, tmp_path: Path, engines: dict[str, str], message: str, mend: str
) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "env", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, body in engines.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    done = hubpub("verify", "octo/net", "--sandbox", "container", env={"PATH": str(programs)})
    assert done.returncode == 4, done.stderr
    assert message in done.stderr
    assert mend in done.stderr


def test_the_engine_and_its_version_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho 27.5.1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    tier = container.find("some/image", Limits())
    assert (tier.name, tier.version, tier.image) == ("container", "docker 27.5.1", "some/image")
