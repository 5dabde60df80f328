"""A verification report as SARIF: valid, within what GitHub takes, and the same in the next run."""

from __future__ import annotations

import ast
import gzip
import json
import random
import re
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import ROOT
from github_page import GitHubPage
from hubpub.output import formats, report_sarif, reports
from hubpub.output.run import Run
from hubpub.output.verify_rules import PAGE, RULES
from hubpub.verify.checkout import web_url
from hubpub.verify.reference import parse
from hubpub.verify.report import AXES, validate
from reporting import HOSTILE, document
from sarif_schema import sarif_schema

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REFERENCE = {
    "owner": "octo", "repo": "net", "ref": "v1.0", "kind": "tag", "requested": "v1.0",
    "url": "https://github.com/octo/net",
}  # fmt: skip


def finding(**fields: Any) -> dict[str, Any]:
    return {
        "code": "verify", "name": "loads", "severity": "error", "message": "net: it broke",
        "path": "hubconf.py", "line": 7, "column": 1, "end_line": 7, "end_column": 1,
        "help": "mend it", "fix": None, "entrypoint": "net", "axis": "loads", **fields,
    }  # fmt: skip


def made(*findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    plain = {"reference": REFERENCE, "commit": COMMIT, "findings": list(findings)}
    report = document("x") | plain | fields
    validate(report)
    return report


def read(report: dict[str, Any]) -> dict[str, Any]:
    """The run of a report's log, which is valid."""
    log = json.loads(reports.render("sarif", report))
    jsonschema.Draft4Validator(sarif_schema()).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def marks(run: dict[str, Any]) -> list[str]:
    return [item["partialFingerprints"]["hubpubFinding/v1"] for item in run["results"]]


STATIC = finding(
    code="HUB402", name="unstamped-checkpoint", severity="warning", message="no stamp",
    path="net/models.py", line=3, column=5, end_line=3, end_column=9, entrypoint=None, axis=None,
)  # fmt: skip


def test_a_rule_for_each_kind_of_finding() -> None:
    run = read(made(finding(), STATIC, finding(name="no-such-name", help=None)))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == ["verify/loads", "HUB402", "verify/no-such-name"]
    loads = rules["verify/loads"]
    assert loads["name"] == "loads"
    assert loads["shortDescription"]["text"] == "torch.hub.load of an entrypoint fails"
    assert loads["helpUri"] == f"{PAGE}#axes"
    assert "what to do next" in loads["help"]["text"]
    assert loads["defaultConfiguration"] == {"level": "error"}
    assert rules["HUB402"]["helpUri"].endswith("docs/rules.md#unstamped-checkpoint-hub402")
    assert "`hubpub rule HUB402`" in rules["HUB402"]["help"]["markdown"]
    assert all(rule["fullDescription"]["text"] for rule in rules.values())
    first, second, _ = run["results"]
    assert (first["ruleId"], first["level"]) == ("verify/loads", "error")
    assert first["message"]["text"] == "net: it broke\nmend it"
    where = first["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "hubconf.py", "uriBaseId": "%SRCROOT%"}
    assert where["region"] == {"startLine": 7}
    assert second["locations"][0]["physicalLocation"]["region"]["endColumn"] == 9


def test_an_upload_of_verify_does_not_replace_that_of_check() -> None:
    check = json.loads(formats.render("sarif", [], Run()))["runs"][0]
    categories = {
        run["automationDetails"]["id"].rpartition("/")[0] for run in (check, read(made()))
    }
    assert categories == {"hubpub", "hubpub/verify"}


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://github.com/octo/net", True),
        ("https://ghe.example.org:8443/octo/net", True),
        ("https://github.com/octo/other", False),
        ("https://user:secret@github.com/octo/net", False),
        ("https://evil.test/?x=/octo/net", False),
        ("http://github.com/octo/net", False),
        ("javascript:alert(1)//octo/net", False),
        (None, False),
    ],
)
def test_where_the_code_came_from(url: str | None, known: bool) -> None:
    run = read(made(reference={**REFERENCE, "url": url}))
    expected = [{"repositoryUri": url, "revisionId": COMMIT}]
    assert run.get("versionControlProvenance") == (expected if known else None)


@pytest.mark.parametrize(
    ("target", "server", "url"),
    [
        ("octo/net:v1.0", "https://github.com", "https://github.com/octo/net"),
        ("octo/net:v1.0", "https://ghe.example.org/", "https://ghe.example.org/octo/net"),
        ("octo/net:v1.0", "https://me:secret@ghe.example.org", None),
        ("octo/net:v1.0", "file:///srv/mirrors", None),
        (".", "https://github.com", None),
    ],
)
def test_a_report_says_where_its_repository_is(target: str, server: str, url: str | None) -> None:
    assert web_url(parse(target), server) == url


@pytest.mark.parametrize("status", ["pass", "fail", "error", "interrupted"])
def test_a_run_that_did_not_end_was_not_successful(status: str) -> None:
    (invocation,) = read(made(finding(), status=status))["invocations"]
    whole = status in {"pass", "fail"}
    assert invocation["executionSuccessful"] is whole
    assert ("toolExecutionNotifications" in invocation) is not whole


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("net/a b.py", "net/a%20b.py"),
        ("", "hubconf.py"),
        (".", "hubconf.py"),
        ("/etc/passwd", "hubconf.py"),
        ("../up.py", "hubconf.py"),
        ("a/../../up.py", "hubconf.py"),
        ("x\0y", "hubconf.py"),
        ("n" * 1001, "hubconf.py"),
        ("https://e.org/x.py", "https%3A//e.org/x.py"),
    ],
)
def test_a_place_is_in_the_tree(path: str, uri: str) -> None:
    run = read(made(finding(path=path, end_line=9, end_column=4)))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri
    assert place["region"]["startLine"] == (1 if uri == "hubconf.py" else 7)


@given(
    said=st.text(max_size=20),
    numbers=st.lists(st.integers(1, (1 << 63) - 1), min_size=4, max_size=4),
)
@example(said=HOSTILE, numbers=[9, 9, 1, 1])
@example(said="HUB4`[a](https://e.org) @octo", numbers=[1, 1, 1, 1])
def test_anything_is_valid(said: str, numbers: list[int]) -> None:
    report = document(said)
    span = dict(zip(("line", "column", "end_line", "end_column"), numbers, strict=True))
    report["findings"] = [{**item, **span} for item in report["findings"]]
    run = read(report)
    assert len(run["results"]) == len(report["findings"])
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        start = (region["startLine"], region.get("startColumn", 1))
        assert start <= (region.get("endLine", start[0]), region.get("endColumn", start[1]))
        assert region["startLine"] < 1 << 31
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert not unquote(uri).startswith("/")
    for rule in rules:
        assert rule["helpUri"].startswith("https://github.com/hubpub/hubpub")
        help_page = GitHubPage(rule["help"]["markdown"])
        assert (list(help_page.live()), help_page.links) == ([], [])


def test_a_fingerprint_outlives_times_lines_and_neighbours() -> None:
    first = finding(message="net on cuda: stopped after 601 s")
    second = finding(message="net (pretrained): stopped after 601 s")
    found = [first, second, finding(), finding(), STATIC, finding(entrypoint="other")]
    before = marks(read(made(*found)))
    assert len(set(before)) == len(found)
    assert before == marks(read(made(*deepcopy(found))))
    later = [{**item, "line": item["line"] + 1, "end_line": item["end_line"] + 1} for item in found]
    later[0]["message"] = "net on cuda: stopped after 602 s"
    assert marks(read(made(*later))) == before
    assert marks(read(made(*found[1:]))) == before[1:]
    assert marks(read(made({**first, "name": "forward"}))) != before[:1]
    assert marks(read(made({**first, "axis": "forward"}))) != before[:1]


def test_what_stands_at_one_line_is_not_one_alert() -> None:
    """Code scanning compares this kind of fingerprint, and upload-sarif keeps one that is there."""
    lost = [finding(name="locked", entrypoint=f"net{number}", path=".") for number in range(3)]
    results = read(made(*lost, STATIC))["results"]
    kinds = [item["partialFingerprints"].get("primaryLocationLineHash") for item in results]
    assert len(set(kinds[:3])) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16}:1", kind) for kind in kinds[:3])
    assert kinds[3] is None  # that of its line, as upload-sarif makes it for check


def test_what_is_too_much_for_github_is_cut_by_severity() -> None:
    notes = [finding(severity="note", message=f"n{number}: x") for number in range(9_000)]
    run = read(made(*notes, finding(message="the error"), STATIC))
    assert len(run["results"]) == report_sarif.RESULTS
    assert [item["level"] for item in run["results"][-2:]] == ["error", "warning"]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith("4002 more findings")


def test_a_log_that_cannot_be_compressed_is_small_enough() -> None:
    source = random.Random(1)
    many = [
        finding(
            name=source.randbytes(100).hex(), message=source.randbytes(1000).hex(),
            help=source.randbytes(1000).hex(), path=source.randbytes(400).hex(),
        )
        for _ in range(6_000)
    ]  # fmt: skip
    text = reports.render("sarif", made(*many))
    assert len(gzip.compress(text.encode())) < 10_000_000


# --- the rules ------------------------------------------------------------------------------------


def named() -> set[str]:
    """The names of the findings that verify makes: what stands second, or first of a remark."""
    names = {axis.replace("_", "-") for axis in AXES}
    for path in (ROOT / "hubpub").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known: dict[str, Any] = {}
        for line in tree.body:
            for target in line.targets if isinstance(line, ast.Assign) else ():
                assert isinstance(line, ast.Assign)
                names_of = target.elts if isinstance(target, ast.Tuple) else [target]
                values = line.value.elts if isinstance(line.value, ast.Tuple) else [line.value]
                known |= {
                    left.id: right.value
                    for left, right in zip(names_of, values, strict=False)
                    if isinstance(left, ast.Name) and isinstance(right, ast.Constant)
                }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            called, name = node.func, node.args[1]
            word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if word == "Finding" and isinstance(name, ast.Constant):
                names.add(str(name.value))
            elif word == "Finding" and isinstance(name, ast.Name) and name.id in known:
                names.add(known[name.id])
    return names


def test_every_finding_of_verify_has_its_rule() -> None:
    made_elsewhere = {
        "ambiguous-ref",
        "default-branch",
        "commit-pin",
        "not-verified",
        "interrupted",
    }
    assert named() | made_elsewhere == set(RULES)
    sources = "".join(path.read_text() for path in (ROOT / "hubpub" / "verify").rglob("*.py"))
    sources += (ROOT / "hubpub" / "cli" / "verify.py").read_text()
    assert all(f'"{name}"' in sources for name in made_elsewhere)


def test_every_rule_leads_to_a_section_that_exists() -> None:
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    assert {anchor for _, anchor in RULES.values()} <= anchors
