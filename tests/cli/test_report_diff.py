"""``hubpub report diff OLD NEW``: its exit codes, its formats, and a real pair of runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from comparing import entry, other_weights, release
from conftest import ROOT, MakeRepository, RunHubpub
from hubpub.output import comparisons
from hubpub.verify.comparing import schema
from proving import HEAD, ONCE
from publishing import AROUND, Server

PAGES = ("docs/diff.md", "docs/verify.md")
"""The whole of the example, and its beginning."""


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, dict[str, Any]], Path]:
    def write(name: str, document: dict[str, Any]) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return path

    return write


Save = Callable[[str, dict[str, Any]], Path]


@pytest.mark.parametrize(
    ("worst", "fails_on"),
    [
        ("error", {"error", "warning", "note"}),
        ("warning", {"warning", "note"}),
        ("note", {"note"}),
        ("same", set[str]()),
    ],
)
def test_the_exit_code_is_that_of_fail_on(
    worst: str, fails_on: set[str], hubpub: RunHubpub, save: Save
) -> None:
    new = release()
    if worst == "error":
        other_weights(new, "a", "c")
    if worst == "warning":
        entry(new, "plain")["results"][0]["facts"]["cpu_s"] = 30.0
    if worst == "note":
        new["findings"].clear()
    files = (save("old.json", release()), save("new.json", new))
    for at in ("error", "warning", "note", "never"):
        done = hubpub("report", "diff", *files, "--fail-on", at)
        assert (done.returncode, done.stderr) == (int(at in fails_on), "")
    assert hubpub("report", "diff", *files).returncode == int(worst == "error")


def test_it_writes_every_format(hubpub: RunHubpub, save: Save, tmp_path: Path) -> None:
    new = release()
    other_weights(new, "a", "c")
    files = (save("old.json", release()), save("new.json", new))
    targets = [f"--output-format={name}:{tmp_path}/out.{name}" for name in comparisons.FORMATS]
    done = hubpub("report", "diff", *targets, *files)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    made = json.loads((tmp_path / "out.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(made)
    for name in comparisons.FORMATS:
        assert (tmp_path / f"out.{name}").read_text() == comparisons.render(name, made)
    coloured = hubpub("report", "diff", *files, env={"NO_COLOR": "", "FORCE_COLOR": "1"})
    assert coloured.stdout == comparisons.render("text", made, color=True)


def test_the_limits_are_the_callers(hubpub: RunHubpub, save: Save) -> None:
    new = release()
    entry(new, "plain")["results"][0]["facts"] |= {"cpu_s": 4.0, "peak_bytes": 450 << 20}
    new["checkpoints"][0]["size"] += 1000
    command = ("report", "diff", save("old.json", release()), save("new.json", new))
    limits = ("--time-ratio", "1.2", "--time-floor", "0.5", "--memory-ratio", "1.1",
              "--memory-floor", "20MiB", "--download-ratio=1", "--download-floor=1")  # fmt: skip
    assert hubpub(*command).stdout.startswith("nothing changed")
    text = hubpub(*command, *limits).stdout
    assert re.findall(r"^warning ([\w-]+):", text, re.MULTILINE) == ["slower", "heavier", "larger"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'OLD'"),
        (("old.json",), "Missing argument 'NEW'"),
        (("old.json", "new.json", "more.json"), "unexpected extra argument"),
        (("old.json", "gone.json"), "gone.json: No such file"),
        (("old.json", "old.json", "--fail-on", "x"), "--fail-on"),
        (("old.json", "old.json", "--time-ratio", "0.5"), "--time-ratio must be 1 or more"),
        (("old.json", "old.json", "--memory-ratio", "nan"), "--memory-ratio must be 1 or more"),
        (("old.json", "old.json", "--time-floor", "-1"), "--time-floor must be 0 or more"),
        (("old.json", "old.json", "--memory-floor", "lots"), "--memory-floor"),
        (("old.json", "old.json", "--format", "html"), "no such output format"),
    ],
)
def test_usage(arguments: tuple[str, ...], said: str, hubpub: RunHubpub, save: Save) -> None:
    folder = save("old.json", release()).parent
    done = hubpub("report", "diff", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_are_called_as_subcommands_are(hubpub: RunHubpub, save: Save) -> None:
    folder = save("diff", release()).parent
    save("merge", release())
    shown = hubpub("report", "./diff", cwd=folder)
    assert (shown.returncode, shown.stdout[:13]) == (0, "octo/net:v1.0")
    assert hubpub("report", "--", "diff", cwd=folder).stdout == shown.stdout
    assert hubpub("report", "diff", "diff", "merge", cwd=folder).stdout.startswith("nothing")
    assert hubpub("report", "--format", "markdown", "./merge", cwd=folder).returncode == 0
    assert "is of no shard" in hubpub("report", "merge", "diff", "merge", cwd=folder).stderr
    behind = hubpub("report", "--format", "json", "diff", "diff", "merge", cwd=folder)
    assert json.loads(behind.stdout)["status"] == "same"


@pytest.mark.parametrize(
    ("arguments", "first", "words"),
    [
        (("--help",), "Usage: hubpub report [OPTIONS] FILE | merge", ["diff", "--attestation"]),
        (("diff", "--help"), "Usage: hubpub report diff [OPTIONS] OLD NEW", ["--fail-on"]),
        (("merge", "-h"), "Usage: hubpub report merge [OPTIONS] FILE...", ["shards"]),
    ],
)
def test_each_has_its_own_help(
    arguments: tuple[str, ...], first: str, words: list[str], hubpub: RunHubpub
) -> None:
    done = hubpub("report", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(first)
    assert all(word in done.stdout for word in words)
    assert "render" not in done.stdout.partition("Commands:")[2]


def test_what_is_no_file_names_what_there_is(hubpub: RunHubpub) -> None:
    done = hubpub("report", "one", "two")
    assert done.returncode == 2
    assert "hubpub report diff OLD NEW" in done.stderr
    assert hubpub("report").stderr.startswith("Usage: hubpub report [OPTIONS] FILE\n")


# --- two real runs --------------------------------------------------------------------------------

LOADED = """
def {name}(pretrained=False):
    "A model of letters."
    model = torch.nn.Linear(1, 1)
    if pretrained:
        torch.hub.load_state_dict_from_url("{url}", progress=False, weights_only=True)
    return model
"""
PLAIN = "\ndef {name}():\n    'A model.'\n    return torch.nn.Linear(1, {wide})\n"


def shown(page: str) -> str:
    """The output of the command in the example of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    block = r"^```console\n\$ hubpub report diff[^\n]*\n(.*?)^```$"
    (found,) = re.findall(block, text, re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


def told(text: str) -> str:
    """Output without what is another each time: hashes, and the port of the server."""
    text = re.sub(r"https?://[\w.:-]+/", "SERVER/", text)
    return re.sub(r"\b[0-9a-f]{12,16}\b", "HASH", text)


@pytest.mark.sandbox
def test_two_tags_whose_weights_were_replaced(
    hubpub: RunHubpub, repository: MakeRepository, http_server: Server, tmp_path: Path
) -> None:
    """v1.0 as it was proven a month ago, and v1.1, before which somebody uploaded other weights."""
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    bodies = []
    for value in (0, 1):
        torch.save({"a": torch.full((3,), value)}, tmp_path / "w.pth")
        bodies.append((tmp_path / "w.pth").read_bytes())
    url = http_server.url("/bigram.pth")
    loaded = HEAD + LOADED.format(name="bigram", url=url)
    old = loaded + PLAIN.format(name="unigram", wide=1) + PLAIN.format(name="tokenizer", wide=2)
    new = loaded + PLAIN.format(name="trigram", wide=3) + PLAIN.format(name="tokenizer", wide=4)
    made = repository({**AROUND, "hubconf.py": old})
    made.commit({"hubconf.py": new})
    made.git("tag", "v1.1")
    files = []
    for tag, body in (("v1.0", bodies[0]), ("v1.1", bodies[1])):
        http_server.serve({"/bigram.pth": body})
        files.append(tmp_path / f"{tag}.json")
        done = hubpub(
            "verify", f"octo/net:{tag}", "--device", "cpu", "--allow-host", http_server.host,
            "--output-format", f"json:{files[-1]}", *ONCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    done = hubpub("report", "diff", *files)
    assert (done.returncode, done.stderr) == (1, "")
    whole, beginning = (shown(name) for name in PAGES)
    assert told(done.stdout) == told(whole)
    assert told(done.stdout).startswith(told(beginning.removesuffix("...\n")))
    json_of = hubpub("report", "diff", *files, "--format", "json")
    kinds = [(item["kind"], item["subject"]) for item in json.loads(json_of.stdout)["changes"]]
    assert kinds[:2] == [("checkpoint-replaced", url), ("entrypoint-gone", "unigram")]
    assert hubpub("report", "diff", files[0], files[0]).stdout.startswith(
        "nothing changed: octo/net: v1.0"
    )
    assert hubpub("report", "diff", *files, "--fail-on", "never").returncode == 0
    signed = tmp_path / "v1.0.intoto.json"
    assert hubpub("report", files[0], "--attestation", signed).returncode == 0
    of_attested = hubpub("report", "diff", signed, files[1])
    assert (of_attested.returncode, of_attested.stdout) == (1, done.stdout)
    assert "no signature was checked" in of_attested.stderr
