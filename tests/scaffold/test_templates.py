"""Every kind of repository that init writes is one that hubpub has nothing to say about."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, RunHubpub
from hubpub.errors import UsageError
from hubpub.scaffold import Answers, plan, write
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES
from hubpub.scaffold.rendering import templates, use_section
from publishing import Mirror, Repository, Server, clean_environment

ALL = frozenset(PIECES)
RELEASE = "https://github.com/octo/sky-net/releases/download/weights"


def answers(kind: str, **fields: Any) -> Answers:
    """A package of its own for each kind, so that one process can load them all."""
    package = "sky_" + kind.replace("-", "_")
    plain = Answers(package, "skynet", "octo", "sky-net", "Ada Lovelace", 2026)
    return replace(plain, kind=kind, **{"around": ALL, **fields})


def rendered(kind: str, **fields: Any) -> dict[str, bytes]:
    return {file.path: file.content for file in plan(answers(kind, **fields))}


def texts(kind: str, **fields: Any) -> dict[str, str]:
    return {file.path: file.text for file in plan(answers(kind, **fields)) if file.data is None}


def python(*arguments: str | Path, cwd: Path, home: Path) -> str:
    """Run Python as a publisher does, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(home),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- what there is --------------------------------------------------------------------------------


def test_what_can_be_chosen_is_what_is_there() -> None:
    def names(folder: str) -> set[str]:
        return {path.name for path in (templates() / folder).iterdir()}

    assert names("kinds") == set(KINDS)
    assert names("around") == set(PIECES) - {"test"}
    assert names("around/licence") == set(LICENCES)
    assert next(iter(KINDS)) == Answers("a", "a", "a", "a", "a", 2026).kind
    for line in (*KINDS.values(), *PIECES.values(), *LICENCES.values()):
        assert line.isprintable()
        assert not line.endswith(".")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "no-such"}, "there is no kind 'no-such'"),
        ({"kind": "../around"}, "there is no kind '../around'"),
        ({"licence": "GPL"}, "there is no licence 'GPL'"),
        ({"around": frozenset({"no-such"})}, "there is no piece 'no-such'"),
        ({"kind": "custom", "entrypoint": "custom"}, "the entrypoint 'custom'"),
    ],
)
def test_what_is_not_there_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        plan(replace(answers("in-tree"), **fields))
    assert message in refused.value.message
    assert refused.value.help


@pytest.mark.parametrize(
    ("piece", "files"),
    [
        ("readme", {"README.md"}),
        ("licence", {"LICENSE"}),
        ("citation", {"CITATION.cff"}),
        ("test", {"tests/conftest.py", "tests/test_hubconf.py"}),
        ("precommit", {".pre-commit-config.yaml"}),
        ("workflow", {".github/workflows/hubpub.yml"}),
        ("pull-request", {".github/workflows/hubpub-check.yml"}),
        ("candidate", {".github/workflows/hubpub-release.yml"}),
        ("shards", {".github/workflows/hubpub-shards.yml"}),
        ("nightly", {".github/workflows/hubpub-nightly.yml"}),
        ("settings", {"hubpub.toml"}),
    ],
)
def test_each_piece_can_be_left_out(piece: str, files: set[str]) -> None:
    with_all, without = rendered("classifier"), rendered("classifier", around=ALL - {piece})
    assert with_all.keys() - without.keys() == files
    assert (
        rendered("classifier", around=frozenset({piece})).keys() - files
        == rendered("classifier", around=frozenset()).keys()
    )


# --- what is in it --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("around", [frozenset(), frozenset({"readme", "licence", "test"}), ALL])
def test_every_file_is_rendered_completely(kind: str, around: frozenset[str]) -> None:
    for path, text in texts(kind, around=around, dependencies=("timm", "einops")).items():
        for left in ("{{", "}}", "{%", "{#", "OWNER", ".part.", "\n\n\n\n", " \n", "TODO"):
            plain = re.sub(r"\$\{\{ [\w.()!= '-]+ \}\}", "EXPRESSION", text)
            assert left not in plain, f"{path}: {left!r}"
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        if path.endswith(".py"):
            ast.parse(text, path, feature_version=(3, 10))


@pytest.mark.parametrize("kind", KINDS)
def test_every_checkpoint_has_a_true_stamp_and_is_named_where_it_is_loaded(kind: str) -> None:
    files = rendered(kind, entrypoint="other_name")
    checkpoints = [path for path in files if path.endswith((".pth", ".pt"))]
    assert checkpoints
    code = "".join(text for path, text in texts(kind, entrypoint="other_name").items()
                   if path.endswith(".py"))  # fmt: skip
    for path in checkpoints:
        digest = hashlib.sha256(files[path]).hexdigest()
        assert re.search(rf"/other_name\w*-{digest[:8]}\.pth?\Z", path)
        assert path.rpartition("/")[2] in code
        assert not re.search(rb"/(?:home|root|tmp|work|usr)/", files[path])


@pytest.mark.slow
def test_the_checkpoints_are_what_their_networks_begin_with(home: Path) -> None:
    python(ROOT / "tests" / "scaffold" / "untrained.py", cwd=ROOT, home=home)


@pytest.mark.parametrize("licence", LICENCES)
def test_licences(licence: str) -> None:
    text = texts("in-tree", licence=licence)["LICENSE"]
    if licence == "Apache-2.0":
        # https://www.apache.org/licenses/LICENSE-2.0.txt, byte for byte: nothing is filled in.
        known = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
        assert hashlib.sha256(text.encode()).hexdigest() == known
    else:
        assert re.search(r"^Copyright \(c\) 2026,? Ada Lovelace$", text, re.MULTILINE)
    assert f"license: {licence}\n" in texts("in-tree", licence=licence)["CITATION.cff"]


def load_yaml(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


@pytest.mark.parametrize("owner", ["octo", "OWNER"])
@pytest.mark.parametrize("description", ["", "Nets: small ones, # and large"])
def test_the_citation_has_what_its_schema_wants(owner: str, description: str) -> None:
    # Format 1.2.0: these four are required, and values that look like numbers have to be strings.
    fields = {"owner": owner, "description": description, "tag": "1.0"}
    citation = load_yaml(texts("in-tree", **fields)["CITATION.cff"])
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"] == "sky-net"
    assert citation["authors"] == [{"name": "Ada Lovelace"}]
    assert citation["version"] == "1.0"
    assert citation.get("abstract", "") == description
    known = {"cff-version", "message", "title", "authors", "type", "version", "license"}
    assert citation.keys() - known <= {"abstract", "repository-code"}
    assert ("repository-code" in citation) is (owner != "OWNER")


WORKFLOWS = {
    "workflow": ("hubpub.yml", {"release"}),
    "pull-request": ("hubpub-check.yml", set[str]()),
    "candidate": ("hubpub-release.yml", {"release"}),
    "shards": ("hubpub-shards.yml", set[str]()),
    "nightly": ("hubpub-nightly.yml", {"tell"}),
}
"""Piece -> its file, and the jobs in it that may write."""


@pytest.mark.parametrize("piece", WORKFLOWS)
@pytest.mark.parametrize(
    "fields", [{"around": ALL}, {}, {"dependencies": ("timm",)}], ids=["all", "alone", "timm"]
)
def test_a_workflow_gives_nobody_more_than_it_has_to(piece: str, fields: dict[str, Any]) -> None:
    name, writing = WORKFLOWS[piece]
    files = texts("in-tree", **{"around": frozenset({piece}), **fields})
    workflow = load_yaml(files[f".github/workflows/{name}"])
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    assert {name for name, job in jobs.items() if "write" in job["permissions"].values()} == writing
    for name, job in jobs.items():
        assert job["name"]
        assert job["timeout-minutes"] <= 60
        # Who may write runs no code but that of GitHub: neither the repository's nor hubpub's.
        actions = {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
        assert name not in writing or actions <= {"actions/download-artifact"}
        for step in job["steps"]:
            assert step["name"]
            assert "${{" not in step.get("run", "")
            if "uses" in step:
                pinned = r"actions/[\w-]+@[0-9a-f]{40}|hubpub/hubpub@v\d+\.\d+\.\d+"
                assert re.fullmatch(pinned, step["uses"])
            else:
                subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_nothing_is_released_that_was_not_checked_and_loaded_first() -> None:
    jobs = load_yaml(texts("in-tree")[".github/workflows/hubpub.yml"])["jobs"]
    assert jobs["release"]["needs"] == ["check", "test", "verify"]
    assert jobs["release"]["if"] == "github.ref_type == 'tag'"
    jobs = load_yaml(texts("in-tree")[".github/workflows/hubpub-release.yml"])["jobs"]
    assert (jobs["release"]["needs"], "if" in jobs["release"]) == ("verify", False)


@pytest.mark.parametrize(
    ("tag", "patterns"),
    [("v1.0", ["v*"]), ("1.0", ["*", "!weights"]), ("weights2", ["*", "!weights"])],
)
def test_the_workflow_starts_for_the_tag_that_is_released(tag: str, patterns: list[str]) -> None:
    workflow = load_yaml(texts("classifier", tag=tag)[".github/workflows/hubpub.yml"])
    assert workflow[True]["push"]["tags"] == patterns  # YAML 1.1 reads `on` as true
    shards = load_yaml(texts("classifier", tag=tag)[".github/workflows/hubpub-shards.yml"])
    assert shards[True]["push"]["tags"] == patterns


def test_the_hooks_are_those_that_there_are(home: Path, tmp_path: Path) -> None:
    text = texts("in-tree")[".pre-commit-config.yaml"]
    (tmp_path / ".pre-commit-config.yaml").write_text(text)
    python("-m", "pre_commit", "validate-config", cwd=tmp_path, home=home)
    manifest = load_yaml((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (repository,) = load_yaml(text)["repos"]
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in manifest}


@pytest.mark.parametrize("kind", KINDS)
def test_how_to_use_it_can_be_put_into_another_readme(kind: str) -> None:
    section = use_section(answers(kind))
    assert 'torch.hub.load(' in section  # fmt: skip
    assert '"octo/sky-net:v1.0"' in section
    assert "trust_repo=True" in section
    assert section in texts(kind)["README.md"]


def test_files_of_ones_own_are_kept(tmp_path: Path) -> None:
    own = ("README.rst", "COPYING", "citation.cff", "hubpub.toml", ".pre-commit-config.yaml")
    for name in own:
        (tmp_path / name).write_text("mine")
    outcome = write(tmp_path, plan(answers("family")))
    assert outcome.kept == tuple(sorted(own))
    assert all((tmp_path / name).read_text() == "mine" for name in own)


# --- what hubpub says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"dependencies": ("timm", "cv2"), "tag": "2026.1", "description": "Nets."},
        {"entrypoint": "build", "owner": "OWNER", "around": frozenset({"readme", "licence"})},
    ],
)
def test_check_has_nothing_to_say(
    hubpub: RunHubpub, tmp_path: Path, fields: Mapping[str, Any]
) -> None:
    for kind in KINDS:
        write(tmp_path / "all" / kind, plan(answers(kind, **fields)))
    options = ("--fail-on", "note", "--output-format", "json")
    done = hubpub("check", *(tmp_path / "all" / kind for kind in KINDS), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["diagnostics"] == []


def test_a_declared_dependency_is_excused_until_something_needs_it(
    hubpub: RunHubpub, tmp_path: Path
) -> None:
    folder = tmp_path / "net"
    write(folder, plan(answers("classifier", dependencies=("timm",))))
    network = folder / "sky_classifier" / "network.py"
    network.write_text("import timm\n" + network.read_text())
    done = hubpub("check", folder, "--output-format", "concise", "--fail-on", "note")
    assert re.findall(r"^.*?(HUB\d+)", done.stdout, re.MULTILINE) == ["HUB002"]
    assert hubpub("check", folder, "--fix", "--fail-on", "note").returncode == 0
    assert 'dependencies = ["torch", "timm"]\n' in (folder / "hubconf.py").read_text()


@dataclass(frozen=True)
class Row:
    """What verify finds of a kind: its entrypoints, and those that use weights in each case."""

    entrypoints: tuple[str, ...]
    weights: tuple[tuple[str, str], ...]
    downloads: bool = False
    fails: Mapping[str, str] = field(default_factory=dict)


SIZES = ("skynet_base", "skynet_large", "skynet_small")
ROWS: Mapping[str, Row] = {
    "in-tree": Row(("skynet",), (("skynet", "default"),)),
    "classifier": Row(("skynet",), (("skynet", "pretrained"),), downloads=True),
    "family": Row(SIZES, tuple((name, "pretrained") for name in SIZES), downloads=True),
    "reexport": Row(("skynet", "skynet_untrained"), (("skynet", "default"),), downloads=True),
    "helpers": Row(("skynet", "skynet_tokenizer"), (("skynet", "pretrained"),), downloads=True),
    # An archive is code, which weights_only refuses; and torch pickles none.
    "torchscript": Row(
        ("skynet",),
        (),
        fails={"pickles": "cannot be pickled: RuntimeError", "weights_only": "skynet-"},
    ),
    "custom": Row(("custom", "skynet"), (("custom", "default"), ("skynet", "default"))),
}


ALWAYS = ("listed", "documented", "loads", "forward", "late_imports", "dependencies", "coexists")
"""Axes that are asked of every entrypoint and case."""


def publish(kind: str, mirror: Mirror, server: Server) -> dict[str, bytes]:
    """Publish as README says, with a server on the loopback for the release of the weights."""
    folder = mirror.root / "octo" / "sky-net"
    write(folder, plan(answers(kind)))
    released = {path.name: path.read_bytes() for path in folder.glob("release/*.pth")}
    server.serve({f"/{name}": data for name, data in released.items()})
    for path in folder.rglob("*.py"):
        path.write_text(path.read_text().replace(RELEASE, server.url().rstrip("/")))
    repository = Repository(folder, mirror.home)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message", "First")
    repository.git("tag", "v1.0")
    # What is released is in no commit.
    assert not set(repository.git("ls-files").splitlines()) & {f"release/{it}" for it in released}
    return released


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", KINDS)
def test_verify_proves_it(
    kind: str, hubpub: RunHubpub, mirror: Mirror, http_server: Server, tmp_path: Path
) -> None:
    row, report = ROWS[kind], tmp_path / "report.json"
    released = publish(kind, mirror, http_server)
    assert bool(released) is row.downloads
    options = ("--device", "cpu", "--allow-host", http_server.host)
    formats = ("--output-format", f"json:{report}")
    done = hubpub("verify", "octo/sky-net:v1.0", *options, *formats)
    assert done.returncode == 0, done.stdout + done.stderr
    verified = json.loads(report.read_text())
    assert tuple(entry["name"] for entry in verified["entrypoints"]) == row.entrypoints
    wrong: dict[str, str] = {}
    proven = set()
    for entry in verified["entrypoints"]:
        for result in entry["results"]:
            axes = {name: axis["status"] for name, axis in result["axes"].items()}
            for name in ALWAYS:
                assert axes[name] == "pass", f"{entry['name']}, {result['case']}: {name}"
            needed = ["weights", "weights_only", "reproducible"]
            needed += ["offline"] if row.downloads else []
            if all(axes[name] == "pass" for name in needed):
                proven.add((entry["name"], result["case"]))
            wrong |= {
                name: axis["reason"]
                for name, axis in result["axes"].items()
                if axis["status"] == "fail"
            }
    assert proven == set(row.weights)
    assert wrong.keys() == row.fails.keys()
    assert all(wrong[name].startswith(reason) for name, reason in row.fails.items())
    # HUB408: that the release is on this machine is the test's doing.
    told = {(item["name"], item["severity"]) for item in verified["findings"]
            if item["code"] != "HUB408"}  # fmt: skip
    severity = {"pickles": "note"}
    assert told == {(name.replace("_", "-"), severity.get(name, "warning")) for name in row.fails}
    asked = {request.target for request in http_server.requests}
    assert asked == {f"/{name}" for name in released}


# --- what runs ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_their_own_tests_pass(tmp_path: Path, home: Path) -> None:
    """In one process, which imports torch once; test_init_command runs one as a publisher does."""
    for kind in KINDS:
        write(tmp_path / "all" / kind, plan(answers(kind)))
    # Several test_hubconf.py in one process: pytest's default takes the first for all.
    options = ("-v", "--import-mode=importlib", "-p", "no:cacheprovider", "-W", "error")
    shown = python("-m", "pytest", *options, *KINDS, cwd=tmp_path / "all", home=home)
    for kind in KINDS:
        passed = re.findall(rf"^{kind}/tests/test_hubconf.py::\S+ PASSED", shown, re.MULTILINE)
        assert len(passed) >= 2, kind
    assert "SKIPPED" not in shown


EXAMPLES = r"""
import doctest, os, pathlib, re, shutil, sys
import torch

torch.manual_seed(0)
really = torch.hub.load
folder = None


def load(reference, entrypoint, *, trust_repo, **arguments):
    # The reference is the pinned one, and this folder what lies behind it.
    assert (reference, trust_repo) == ("octo/sky-net:v1.0", True)
    return really(str(folder), entrypoint, source="local", **arguments)


torch.hub.load = load
for folder in map(pathlib.Path, sys.argv[1:]):
    checkpoints = pathlib.Path(torch.hub.get_dir(), "checkpoints")
    shutil.rmtree(checkpoints, ignore_errors=True)
    checkpoints.mkdir(parents=True)
    samples = [path for path in folder.rglob("*.pth")]
    for path in samples:
        shutil.copy(path, checkpoints)
        shutil.copy(path, "mine.pth")
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    for block in blocks:
        exec(block, {})
    ran = 0
    sys.path.insert(0, str(folder))
    module = torch.hub._import_module("hubconf", str(folder / "hubconf.py"))
    for name in dir(module):
        entrypoint = getattr(module, name)
        if name.startswith("_") or not callable(entrypoint):
            continue
        parser = doctest.DocTestParser()
        test = parser.get_doctest(entrypoint.__doc__, {"torch": torch}, name, None, None)
        result = doctest.DocTestRunner().run(test)
        assert test.examples and not result.failed, name
        ran += len(test.examples)
    sys.path.remove(str(folder))
    print(folder.name, len(blocks), ran)
"""


@pytest.mark.slow
def test_the_examples_run(tmp_path: Path, home: Path) -> None:
    for kind in KINDS:
        write(tmp_path / kind, plan(answers(kind)))
    folders = [tmp_path / kind for kind in KINDS]
    shown = python("-W", "ignore", "-c", EXAMPLES, *folders, cwd=home, home=home).splitlines()
    assert [line.split()[:2] for line in shown] == [[kind, "1"] for kind in KINDS]
    assert all(int(line.split()[2]) >= 2 for line in shown)


MISSING = """
import sys
import torch
for folder in sys.argv[1:]:
    try:
        torch.hub.load(folder, "skynet", source="local")
    except RuntimeError as error:
        print(error)
"""


@pytest.mark.slow
def test_a_package_that_users_lack_is_named(tmp_path: Path, home: Path) -> None:
    """Even where the network's module imports it at its top, as networks do."""
    kinds = [kind for kind in KINDS if kind not in {"family", "reexport", "torchscript"}]
    for kind in kinds:
        write(tmp_path / kind, plan(answers(kind, dependencies=("not_there",))))
        (network,) = (tmp_path / kind).rglob("network.py")
        network.write_text("import not_there\n" + network.read_text())
    folders = [tmp_path / kind for kind in kinds]
    shown = python("-c", MISSING, *folders, cwd=home, home=home)
    assert shown.splitlines() == ["Missing dependencies: not_there"] * len(kinds)
