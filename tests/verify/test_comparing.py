"""What changed between two reports: one change a row, which is found, and nothing else."""

from __future__ import annotations

import copy
import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparing import (
    MIB,
    SITE,
    axis,
    checkpoint,
    digest,
    entry,
    finding,
    other_weights,
    release,
    request,
    result,
)
from conftest import ROOT
from hubpub.verify.comparing import KINDS, SEVERITIES, Thresholds, compare, fails, schema, to_json
from hubpub.verify.comparing.costs import grew
from hubpub.verify.report import AXES, validate

Document = dict[str, Any]
Mutate = Callable[[Document], None]
URL = f"{SITE}/a-aaaaaaaa.pth"
STAMPED = f"{SITE}/c-cccccccc.pth"


def found(old: Document, new: Document) -> list[tuple[str, str]]:
    """Kind and subject of each change, the most important first; the document is valid."""
    validate(old)
    validate(new)
    comparison = compare(old, new)
    document = to_json(comparison, old, new)
    assert [item["kind"] for item in document["changes"]] == [
        item.kind for item in comparison.changes
    ]
    return [(item.kind, item.subject) for item in comparison.changes]


def drop(document: Document, name: str) -> None:
    document["entrypoints"] = [item for item in document["entrypoints"] if item["name"] != name]
    document["checkpoints"] = [
        item for item in document["checkpoints"] if item["entrypoints"] != [name]
    ]
    document["network"] = [item for item in document["network"] if item["entrypoint"] != name]


def gone(document: Document) -> None:
    drop(document, "big")
    document["selection"]["listed"].remove("big")


def added(document: Document) -> None:
    document["entrypoints"].append({"name": "zoo", "results": [result()]})
    document["selection"]["listed"].append("zoo")


def added_broken(document: Document) -> None:
    added(document)
    entry(document, "zoo")["results"][0]["axes"]["forward"] = axis("fail", "a wrong shape")


def axes(name: str, **changes: tuple[str, str | None]) -> Mutate:
    def change(document: Document) -> None:
        for key, (status, reason) in changes.items():
            entry(document, name)["results"][0]["axes"][key] = axis(status, reason)

    return change


def broken(document: Document) -> None:
    each = entry(document, "plain")["results"][0]
    each["axes"] = {name: axis("skipped", "the case did not load") for name in AXES}
    each["axes"]["loads"] = axis("fail", "ImportError: no module named einops")
    each["claims"] = {}
    document["status"] = "fail"
    document["findings"].append(
        finding("verify", name="loads", message="plain: ImportError", entrypoint="plain",
                severity="error", axis="loads")
    )  # fmt: skip


def skipped(document: Document) -> None:
    each = entry(document, "plain")["results"][0]
    each["axes"] = {name: axis("skipped", "its host is moving") for name in AXES}
    each |= {"facts": None, "claims": {}}


def no_pretrained(document: Document) -> None:
    del entry(document, "big")["results"][1]
    del document["checkpoints"][0]
    document["network"] = []


def on_cuda(document: Document) -> None:
    for item in document["entrypoints"]:
        item["results"].append(result(device="cuda"))
    document["environment"]["devices"].append("cuda")


def one_on_cuda(document: Document) -> None:
    on_cuda(document)
    del entry(document, "plain")["results"][1]


def replaced(document: Document) -> None:
    other_weights(document, "a", "c")


def refused(document: Document) -> None:
    """The loader finds that the stamp does not match, fails, and leaves no file."""
    each = entry(document, "big")["results"][1]
    each["axes"] = {name: axis("skipped", "the case did not load") for name in AXES}
    each["axes"]["loads"] = axis("fail", "RuntimeError: invalid hash value")
    each |= {"checkpoints": [], "used": [], "claims": {}}
    del document["checkpoints"][0]
    document["network"][0]["sha256"] = digest("c")


def behind_a_redirect(document: Document) -> None:
    refused(document)
    cdn = "https://cdn.example/x"
    document["network"] = [
        request(URL, "d", "big", status=302, location=cdn), request(cdn, "c", "big")
    ]  # fmt: skip


def released(document: Document) -> None:
    other_weights(
        document, "a", "c", urls=[STAMPED], filename="c-cccccccc.pth",
        stamp={"prefix": "cccccccc", "status": "match"},
    )  # fmt: skip


def another_tag(change: Mutate) -> Mutate:
    def both(document: Document) -> None:
        change(document)
        document |= {"commit": "3" * 40, "tree": "4" * 40}
        document["reference"] |= {"ref": "v1.1", "requested": "v1.1"}

    return both


def used_only(document: Document) -> None:
    """As :func:`refused`, where the report keeps what was downloaded and not left as a file."""
    record = entry(document, "big")["results"][1]["used"][0]
    refused(document)
    entry(document, "big")["results"][1]["used"] = [
        record | {"sha256": digest("c"), "format": None}
    ]


def without_origin(document: Document) -> None:
    """The file is in the cache; how it came there was not seen, or a job made it."""
    document["checkpoints"][0] |= {"urls": [], "filename": "model.bin"}
    entry(document, "big")["results"][1]["used"] = []
    document["network"] = []


def tunnelled(document: Document) -> None:
    without_origin(document)
    document["network"] = [request("huggingface.co:443", None, "big", method="CONNECT")]


def then(*changes: Mutate) -> Mutate:
    def change(document: Document) -> None:
        for each in changes:
            each(document)

    return change


def weights(**fields: Any) -> Mutate:
    def change(document: Document) -> None:
        document["checkpoints"][0] |= fields
        for key in entry(document, "big")["results"][1]["used"][0].keys() & fields.keys():
            entry(document, "big")["results"][1]["used"][0][key] = fields[key]

    return change


def now_random(document: Document) -> None:
    entry(document, "big")["results"][1] |= {"checkpoints": [], "used": []}
    del document["checkpoints"][0]
    document["network"] = []


def unsafe(*names: str) -> Mutate:
    def change(document: Document) -> None:
        document["checkpoints"][0] |= {
            "weights_only": axis("fail", "it needs code"),
            "unsafe_globals": list(names),
        }
        each = entry(document, "big")["results"][1]
        each["axes"]["weights_only"] = axis("fail", "it needs code")

    return change


def facts(**fields: Any) -> Mutate:
    def change(document: Document) -> None:
        entry(document, "plain")["results"][0]["facts"] |= fields

    return change


def asks(url: str, **fields: Any) -> Mutate:
    def change(document: Document) -> None:
        document["network"].append(request(url, None, "big", **fields))

    return change


def led(document: Document) -> None:
    document["network"][:0] = [
        request(f"{SITE}/latest", None, "big", status=302, location="https://cdn.example/list"),
        request("https://cdn.example/list", None, "big"),
    ]


def said(*items: Document) -> Mutate:
    def change(document: Document) -> None:
        document["findings"] += items

    return change


def at_another_line(document: Document) -> None:
    document["findings"][0] |= {"line": 99, "column": 3, "end_line": 99, "end_column": 5}


def at_another_path(document: Document) -> None:
    document["findings"][0]["path"] = "net/models.py"


def twice(document: Document) -> None:
    document["findings"].append(document["findings"][0] | {"line": 20, "end_line": 20})


def locked(*rows: Document) -> Mutate:
    def change(document: Document) -> None:
        document["lock"] = {"compared": 4, "differences": list(rows), "not_compared": []}

    return change


ROW = {"entrypoint": "big", "case": "pretrained", "file": "a.pth", "what": "sha256",
       "locked": "a", "found": "c"}  # fmt: skip


def claims(**fields: Any) -> Mutate:
    def change(document: Document) -> None:
        entry(document, "plain")["results"][0]["claims"] |= fields

    return change


def unlisted(document: Document) -> None:
    document |= {"entrypoints": [], "checkpoints": [], "network": [], "status": "fail"}
    document["selection"] |= {"listed": [], "whole": False}
    document["findings"].append(
        finding(
            "verify", name="cannot-list", severity="error", message="ImportError", axis="listed"
        )
    )


def required(change: Mutate, *names: str) -> Mutate:
    def both(document: Document) -> None:
        change(document)
        document["options"]["require"] = list(names)

    return both


CDN = f"{SITE}/a-aaaaaaaa.pth?X-Amz-Signature=1"
ROWS: list[tuple[Mutate, list[tuple[str, str]]]] = [
    (gone, [("entrypoint-gone", "big")]),
    (added, [("entrypoint-new", "zoo")]),
    (added_broken, [("new-fails", "zoo")]),
    (unlisted, [("cannot-list", "torch.hub.list")]),
    (broken, [("no-longer-loads", "plain")]),
    (skipped, [("proof-lost", "plain")]),
    (axes("plain", loads=("fail", "x")), [("no-longer-loads", "plain")]),
    (axes("plain", listed=("fail", "x")), [("now-fails", "plain")]),
    (axes("plain", forward=("fail", "x")), [("now-fails", "plain")]),
    (axes("plain", offline=("fail", "x")), [("optional-now-fails", "plain")]),
    (required(axes("plain", offline=("fail", "x")), "offline"), [("now-fails", "plain")]),
    (axes("plain", offline=("skipped", "x")), [("proof-lost", "plain")]),
    (axes("plain", forward=("pass", None)), [("proof-gained", "plain")]),
    (axes("plain", pickles=("pass", None)), [("mended", "plain")]),
    (axes("plain", pickles=("skipped", "x")), [("no-longer-asked", "plain")]),
    (axes("plain", pickles=("fail", "of another class")), []),
    (axes("plain", offline=("fail", "x"), coexists=("skipped", "y")),
     [("proof-lost", "plain"), ("optional-now-fails", "plain")]),
    (no_pretrained, [("case-gone", "big (pretrained)"), ("host-gone", "github.com")]),
    (on_cuda, [("device-new", "cuda")]),
    (lambda document: document.update(commit="3" * 40), [("tag-moved", "v1.0")]),
    (replaced, [("checkpoint-replaced", URL)]),
    (another_tag(replaced), [("checkpoint-replaced", URL)]),
    (refused, [("checkpoint-replaced", URL), ("no-longer-loads", "big (pretrained)")]),
    (used_only, [("checkpoint-replaced", URL), ("no-longer-loads", "big (pretrained)")]),
    (behind_a_redirect, [
        ("checkpoint-replaced", URL), ("no-longer-loads", "big (pretrained)"),
        ("redirect-new", "cdn.example"),
    ]),
    (released, [("checkpoint-drifted", STAMPED)]),
    (another_tag(released), [("checkpoint-changed", STAMPED)]),
    (another_tag(lambda document: other_weights(document, "b", "c")),
     [("checkpoint-changed", "weights/b-bbbbbbbb.pth")]),
    (now_random, [
        ("weights-gone", "big (pretrained)"), ("smaller", "big"), ("host-gone", "github.com")
    ]),
    (weights(filename="other-aaaaaaaa.pth"), [("checkpoint-renamed", URL)]),
    (weights(urls=[STAMPED]), [("checkpoint-moved", STAMPED)]),
    (weights(urls=[CDN]), []),
    (weights(stamp={"prefix": None, "status": "absent"}), [("stamp-lost", "a-aaaaaaaa.pth")]),
    (weights(stamp={"prefix": "", "status": "vacuous"}), [("stamp-lost", "a-aaaaaaaa.pth")]),
    (weights(format="legacy"), [("newly-unsafe", URL)]),
    (weights(format="torchscript"), [("newly-unsafe", URL)]),
    (weights(format="safetensors"), [("format-changed", URL)]),
    (weights(format="unknown"), [("format-changed", URL)]),
    (weights(size=30 * MIB), [("larger", URL)]),
    (weights(size=20 * MIB + 5), []),
    (unsafe("os.system"), [("newly-unsafe", URL)]),
    (unsafe(), [("newly-unsafe", URL)]),
    (facts(cpu_s=7.0, wall_s=8.0), [("slower", "plain")]),
    (facts(cpu_s=5.9, wall_s=7.9), []),
    (facts(cpu_s=3.1, wall_s=8.5), []),
    (facts(cpu_s=3.1, wall_s=9.5), [("slower", "plain")]),
    (facts(cpu_s=1.0, wall_s=1.5), [("faster", "plain")]),
    (facts(cpu_s=9.0, wall_s=10.0, fresh=True), []),
    (facts(peak_bytes=800 * MIB), [("heavier", "plain")]),
    (facts(peak_bytes=490 * MIB), []),
    (facts(peak_bytes=100 * MIB), [("lighter", "plain")]),
    (asks(f"{SITE}/vocab.txt", bytes=5 * MIB), [("larger", "big")]),
    (asks(f"{SITE}/vocab.txt", bytes=5 * MIB, decision="denied"), []),
    (asks("https://evil.example/x"), [("host-new", "evil.example")]),
    (asks("evil.example:8443", method="CONNECT"), [("host-new", "evil.example:8443")]),
    (asks("https://user:pw@evil.example/x", status=None, decision="denied"),
     [("host-new", "evil.example")]),
    (led, [("redirect-new", "cdn.example")]),
    (said(finding("HUB105", message="numpy", severity="error")), [("finding-new", "hubconf.py")]),
    (said(finding("verify", name="cache-name-clash", severity="error")),
     [("finding-new", "hubconf.py")]),
    (said(finding("verify", name="offline", entrypoint="big", axis="offline")), []),
    (said(finding("verify", name="locked", severity="error", entrypoint="big")), []),
    (twice, [("finding-new", "hubconf.py")]),
    (at_another_line, []),
    (at_another_path, []),
    (lambda document: document["findings"].clear(),
     [("finding-mended", "hubconf.py"), ("finding-mended", "hubconf.py")]),
    (locked(), [("lock-gained", "hubpub.lock")]),
    (locked(ROW), [("lock-broken", "hubpub.lock")]),
    (claims(parameters=2000), [("claim-changed", "plain")]),
    (claims(type="Other"), [("claim-changed", "plain")]),
    (claims(type=None), []),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), ROWS)
def test_one_change_is_found_and_nothing_else(
    change: Mutate, expected: list[tuple[str, str]]
) -> None:
    new = release()
    change(new)
    assert found(release(), new) == expected


BACK: list[tuple[Mutate, list[tuple[str, str]]]] = [
    (gone, [("entrypoint-new", "big")]),
    (broken, [("mended", "plain")]),
    (skipped, [("proof-gained", "plain")]),
    (no_pretrained, [("host-new", "github.com"), ("case-new", "big (pretrained)")]),
    (on_cuda, [("device-gone", "cuda")]),
    (weights(stamp={"prefix": None, "status": "absent"}), [("stamp-gained", "a-aaaaaaaa.pth")]),
    (weights(format="legacy"), [("format-changed", URL)]),
    (unsafe("os.system"), [("safer", URL)]),
    (weights(size=30 * MIB), [("smaller", URL)]),
    (facts(cpu_s=7.0), [("faster", "plain")]),
    (asks("https://evil.example/x"), [("host-gone", "evil.example")]),
    (locked(), [("lock-unchecked", "hubpub.lock")]),
    (locked(ROW), [("lock-unchecked", "hubpub.lock")]),
    (now_random, [("larger", "big"), ("host-new", "github.com"), ("checkpoint-new", URL)]),
    (refused, [("mended", "big (pretrained)")]),
]


@pytest.mark.parametrize(("change", "expected"), BACK)
def test_the_other_way_round(change: Mutate, expected: list[tuple[str, str]]) -> None:
    old = release()
    change(old)
    assert found(old, release()) == expected


PAIRS: list[tuple[Mutate, Mutate, list[tuple[str, str]]]] = [
    (locked(ROW), locked(ROW, ROW | {"entrypoint": "tree"}), [("lock-broken", "hubpub.lock")]),
    (locked(ROW), locked(), [("lock-mended", "hubpub.lock")]),
    (axes("plain", weights=("fail", "a")), axes("plain", weights=("fail", "b")),
     [("fails-otherwise", "plain")]),
    (unsafe("a.B"), unsafe("a.B", "os.system"), [("newly-unsafe", URL)]),
    (unsafe("a.B"), unsafe("a.B"), []),
    (tunnelled, then(tunnelled, replaced), [("checkpoint-drifted", "model.bin")]),
    (tunnelled, another_tag(then(tunnelled, replaced)), [("checkpoint-changed", "model.bin")]),
    (without_origin, then(without_origin, replaced), [("checkpoint-changed", "model.bin")]),
    (without_origin, now_random, [("checkpoint-gone", "model.bin")]),
    (on_cuda, one_on_cuda, [("device-gone", "plain on cuda")]),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_from_one_change_to_another(
    first: Mutate, second: Mutate, expected: list[tuple[str, str]]
) -> None:
    old, new = release(), release()
    first(old)
    second(new)
    assert found(old, new) == expected


def test_every_kind_is_tried_here() -> None:
    tried = {kind for _, rows in (*ROWS, *BACK) for kind, _ in rows}
    tried |= {kind for _, _, rows in PAIRS for kind, _ in rows}
    assert set(KINDS) - tried == {"nothing-compared"}  # below


def test_one_of_several_weights_is_gone() -> None:
    old, new = release(), release()
    url = f"{SITE}/extra.pth"
    extra = checkpoint("e", ["big"]) | {"urls": [url]}
    old["checkpoints"].append(extra)
    entry(old, "big")["results"][1]["checkpoints"].append(digest("e"))
    assert found(old, new) == [("checkpoint-gone", url)]
    assert found(new, old) == [("checkpoint-new", url)]


def test_all_weights_that_become_one_are_all_replaced() -> None:
    """pytorch/hub users of one tag: a server that answers every URL with one file."""
    old, new = release(), release()
    url = f"{SITE}/e.pth"
    old["checkpoints"].append(checkpoint("e", ["plain"]) | {"urls": [url]})
    entry(old, "plain")["results"][0]["checkpoints"] = [digest("e")]
    new["checkpoints"][0] |= {"urls": [URL, url], "entrypoints": ["big", "plain"]}
    entry(new, "plain")["results"][0]["checkpoints"] = [digest("a")]
    assert found(old, new) == [("checkpoint-replaced", url)]


@pytest.mark.parametrize("change", [refused, used_only, behind_a_redirect])
def test_of_weights_that_the_loader_refuses_it_is_said(change: Mutate) -> None:
    new = release()
    change(new)
    (first, *_) = compare(release(), new).changes
    assert (first.reason, first.old, first.new) == (
        "the loader refused it", digest("a"), digest("c"),
    )  # fmt: skip
    replaced(again := release())
    assert compare(release(), again).changes[0].reason is None


def test_what_the_report_of_new_says_is_passed_on() -> None:
    new = release()
    broken(new)
    reason = entry(new, "plain")["results"][0]["axes"]["loads"]["reason"]
    new["findings"][-1] |= {"message": f"plain: {reason}", "help": "install einops", "line": 7}
    (change,) = compare(release(), new).changes
    assert (change.reason, change.place, change.advice) == (
        reason, "hubconf.py:7", "install einops",
    )  # fmt: skip
    twice(new)
    added = compare(release(), new).changes[-1]
    assert (added.kind, added.place) == ("finding-new", "hubconf.py:20")


def test_where_all_are_slower_the_machine_may_be() -> None:
    new = release()
    for item in new["entrypoints"]:
        for each in item["results"]:
            each["facts"] |= {"cpu_s": 9.0, "wall_s": 10.0}
    comparison = compare(release(), new)
    assert [item.name for item in comparison.remarks] == ["all-slower"]
    assert {item.kind for item in comparison.changes} == {"slower"}


def test_weights_that_change_places_are_replaced_both() -> None:
    old, new = release(), release()
    url = f"{SITE}/e.pth"
    for document, letters in ((old, "ae"), (new, "ea")):
        entry(document, "plain")["results"][0]["checkpoints"] = [digest(letters[1])]
        entry(document, "big")["results"][1] |= {"checkpoints": [digest(letters[0])], "used": []}
        document["checkpoints"] = [
            checkpoint(letters[0], ["big"]) | {"urls": [URL]},
            checkpoint(letters[1], ["plain"]) | {"urls": [url]},
            document["checkpoints"][1],
        ]
        document["network"][0]["sha256"] = digest(letters[0])
    assert found(old, new) == [("checkpoint-replaced", URL), ("checkpoint-replaced", url)]


def test_of_two_urls_of_one_file_one_is_replaced() -> None:
    old, new = release(), release()
    url = f"{SITE}/copy.pth"
    old["checkpoints"][0]["urls"].append(url)
    new["checkpoints"].append(checkpoint("e", ["big"]) | {"urls": [url]})
    entry(new, "big")["results"][1]["checkpoints"].append(digest("e"))
    assert found(old, new) == [("checkpoint-replaced", url)]


def test_a_branch_may_move() -> None:
    sides = [release(), release() | {"commit": "3" * 40}]
    for side in sides:
        side["reference"] |= {"kind": "branch", "ref": "main"}
    assert found(sides[0], sides[1]) == []


TEXTS = st.text(alphabet="ab[]/:@?#%&=.\\\u2100\uff0f\udcff ", max_size=12)


@given(TEXTS, TEXTS, st.none() | TEXTS, st.sampled_from(["CONNECT", "GET", "HEAD"]))
def test_what_is_no_url_is_no_defect(
    one: str, other: str, location: str | None, method: str
) -> None:
    old, new = release(), release()
    for document, url in ((old, one), (new, other)):
        document["checkpoints"][0]["urls"] = [url, "https://" + url]
        document["network"] += [
            request(url, "c", "big", location=location, method=method, status=302),
            request("http://" + url, "c", None, location=location),
            request("http://" + url, "c", "big", location="http://" + (location or "")),
        ]
        document["options"] = {"require": 3, "device": {"a": [1]}}
        document["reference"]["ref"] = None
    compare(old, new)


# --- what is not compared -------------------------------------------------------------------------


def shard(*names: str) -> Mutate:
    def change(document: Document) -> None:
        for name in set(document["selection"]["listed"]) - set(names):
            drop(document, name)
        document["selection"] |= {"shard": "1/3", "whole": False}
        document["findings"].append(
            finding("verify", name="partial-run", message="only 1 of 3", severity="warning")
        )

    return change


def interrupted(document: Document) -> None:
    drop(document, "tree")
    document["status"] = "interrupted"
    document["findings"].append(finding("verify", name="stopped", severity="error"))


def deadline(document: Document) -> None:
    entry(document, "tree")["results"][0]["axes"]["loads"] = axis("fail", "timeout")
    document["findings"].append(
        finding("verify", name="deadline", entrypoint="tree", severity="error")
    )


def too_many(document: Document) -> None:
    drop(document, "tree")
    document["selection"]["listed"].remove("tree")
    document["findings"].append(finding("verify", name="too-many-entrypoints", severity="error"))


@pytest.mark.parametrize(
    ("change", "remarks"),
    [
        (shard("plain"), ["part", "not-compared"]),
        (interrupted, ["interrupted", "not-compared"]),
        (deadline, ["deadline", "not-compared"]),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_what_was_not_run_is_neither_gone_nor_new(
    change: Mutate, remarks: list[str], backwards: bool
) -> None:
    sides = [release(), release()]
    change(sides[not backwards])
    assert found(*sides) == []
    assert [item.name for item in compare(sides[0], sides[1]).remarks] == remarks


def test_of_a_part_what_was_run_is_compared() -> None:
    new = release()
    shard("big")(new)
    replaced(new)
    added(new)
    assert found(release(), new) == [("checkpoint-replaced", URL), ("entrypoint-new", "zoo")]
    new["selection"]["listed"].remove("plain")
    assert ("entrypoint-gone", "plain") in found(release(), new)


def test_of_more_entrypoints_than_were_taken_none_is_gone() -> None:
    new = release()
    too_many(new)
    assert found(release(), new) == [("finding-new", "hubconf.py")]


def test_another_device_that_was_asked_for_is_no_change_of_the_release() -> None:
    old, new = release(), release()
    on_cuda(old)
    new["options"]["device"] = "cpu"
    assert found(old, new) == []
    assert [item.what for item in compare(old, new).unlike] == ["devices", "option device"]


def test_which_of_several_gpus_it_was_does_not_count() -> None:
    """--device all deals them out by the names that there are, of which one is new."""
    old, new = release(), release()
    for document, number in ((old, 0), (new, 1)):
        document["options"]["device"] = "all"
        document["environment"]["devices"] += ["cuda:0", "cuda:1"]
        for place, item in enumerate(document["entrypoints"]):
            item["results"].append(result(device=f"cuda:{(place + number) % 2}"))
    assert found(old, new) == []
    reason = "CUDA error"
    entry(new, "plain")["results"][1]["axes"]["loads"] = axis("fail", reason)
    new["findings"].append(
        finding("verify", name="loads", message=f"plain on cuda:0: {reason}", entrypoint="plain",
                axis="loads", line=3)
    )  # fmt: skip
    (change,) = compare(old, new).changes
    assert (change.kind, change.subject, change.place) == (
        "no-longer-loads", "plain on cuda:0", "hubconf.py:3",
    )  # fmt: skip


def test_a_device_that_never_ran_is_not_gone() -> None:
    old = release()
    for item in old["entrypoints"]:
        off = {name: axis("skipped", "no CUDA device") for name in AXES}
        item["results"].append(result(device="cuda") | {"facts": None, "axes": off})
    assert found(old, release()) == found(release(), old) == []


@pytest.mark.parametrize("backwards", [False, True])
def test_a_run_that_could_prove_nothing_is_no_success(backwards: bool) -> None:
    failed = release() | {"status": "error", "commit": None, "tree": None, "selection": None}
    failed |= {"entrypoints": [], "checkpoints": [], "network": []}
    failed["findings"] = [finding("verify", name="not-verified", message="no sandbox")]
    sides = [release(), failed][:: -1 if backwards else 1]
    assert found(*sides) == [("nothing-compared", "OLD and NEW")]
    (remark,) = [item for item in compare(sides[0], sides[1]).remarks if item.name == "error"]
    assert remark.message.endswith("could prove nothing: no sandbox")


def test_a_fork_is_compared_with_its_origin_and_that_is_said() -> None:
    new = release()
    new["reference"]["owner"] = "fork"
    assert found(release(), new) == []
    assert [item.name for item in compare(release(), new).remarks] == ["other-repository"]
    new["reference"]["owner"] = "OCTO"
    assert compare(release(), new).remarks == ()


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("environment", "torch"), "2.10.0", "torch"),
        (("environment", "hubpub"), "0.2.0", "hubpub"),
        (("environment", "accelerators"), [{"device": "cuda", "name": "T4"}], "GPU"),
        (("sandbox", "tier"), "none", "sandbox"),
        (("sandbox", "limits"), {"timeout_s": 60}, "limit timeout_s"),
        (("options", "skip"), ["offline"], "option skip"),
    ],
)
def test_how_the_runs_differ_is_said_and_is_no_change(
    path: tuple[str, str], value: object, what: str
) -> None:
    new = release()
    new[path[0]][path[1]] = value
    assert found(release(), new) == []
    assert [item.what for item in compare(release(), new).unlike] == [what]


def test_reports_of_an_earlier_version_lack_fields() -> None:
    old = release()
    for name in ("selection", "options"):
        del old[name]
    del old["environment"]["accelerators"]
    old["sandbox"] = {"tier": "bwrap", "features": {}}
    for item in old["entrypoints"]:
        for each in item["results"]:
            del each["used"]
            del each["axes"]["device"]
    for item in old["network"]:
        for name in ("entrypoint", "location", "source", "method"):
            del item[name]
    assert found(old, release()) == []
    assert found(release(), old) == []
    new = release()
    replaced(new)
    assert ("checkpoint-replaced", URL) in found(old, new)


# --- thresholds -----------------------------------------------------------------------------------


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(1, 100), st.floats(0, 1e6))
def test_growth_mirrors_and_needs_both(old: float, new: float, ratio: float, floor: float) -> None:
    way = grew(old, new, ratio, floor)
    assert way == -grew(new, old, ratio, floor)
    if way > 0:
        assert new > old
        assert new - old >= floor
        assert new >= old * ratio


def test_thresholds_are_the_callers() -> None:
    new = release()
    facts(cpu_s=3.5, peak_bytes=420 * MIB)(new)
    strict = Thresholds(time_ratio=1.1, time_floor=0.1, memory_ratio=1.01, memory_floor=MIB)
    assert [item.kind for item in compare(release(), new, strict).changes] == ["slower", "heavier"]
    assert compare(release(), new).changes == ()


# --- properties -----------------------------------------------------------------------------------

CHANGES = [change for change, _ in ROWS]
MIRROR = {"entrypoint-gone": "entrypoint-new", "case-gone": "case-new", "host-gone": "host-new",
          "device-gone": "device-new", "finding-mended": "finding-new"}  # fmt: skip


@st.composite
def releases(draw: st.DrawFn) -> Document:
    """The release, with some changes after each other where each finds what it changes."""
    document = release()
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=4, unique=True)):
        candidate = copy.deepcopy(document)
        try:
            change(candidate)
        except (ValueError, IndexError, KeyError, TypeError):
            continue  # it changes what another one took away
        document = candidate
    return document


def seen(old: Document, new: Document) -> list[tuple[str, str]]:
    """As :func:`found`, without validation, of which hundreds take minutes."""
    return [(item.kind, item.subject) for item in compare(old, new).changes]


@given(releases())
def test_a_report_is_as_itself(document: Document) -> None:
    assert {kind for kind, _ in seen(document, copy.deepcopy(document))} <= {"nothing-compared"}


@given(releases(), releases())
def test_gone_and_new_mirror_each_other(old: Document, new: Document) -> None:
    there, back = (
        [(kind.replace("new-fails", "entrypoint-new"), subject) for kind, subject in found]
        for found in (seen(old, new), seen(new, old))
    )
    for one, other in MIRROR.items():
        for here, turned in ((there, back), (back, there)):
            assert sorted(subject for kind, subject in here if kind == one) == sorted(
                subject for kind, subject in turned if kind == other
            )


def shuffled(document: Document, order: random.Random) -> Document:
    found = copy.deepcopy(document)
    lists = [found["entrypoints"], found["checkpoints"], found["findings"]]
    lists += [item["results"] for item in found["entrypoints"]]
    lists += [item["urls"] for item in found["checkpoints"] if len(item["urls"]) < 2]
    for items in lists:
        order.shuffle(items)
    return found


@given(releases(), releases(), st.randoms())
def test_the_order_of_lists_does_not_matter(
    old: Document, new: Document, order: random.Random
) -> None:
    assert compare(shuffled(old, order), shuffled(new, order)) == compare(old, new)


# --- what the command makes of it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "worst"),
    [
        (replaced, "error"),
        (facts(cpu_s=9.0), "warning"),
        (added, "note"),
        (at_another_line, "same"),
    ],
)
def test_what_fails(change: Mutate, worst: str) -> None:
    new = release()
    change(new)
    comparison = compare(release(), new)
    assert comparison.status == worst
    place = [*SEVERITIES, "same"].index(worst)
    for number, at in enumerate(SEVERITIES):
        assert fails(comparison, at) == (place <= number)
    assert not fails(comparison, "never")


def test_the_most_important_comes_first() -> None:
    new = release()
    for change in (
        added,
        facts(cpu_s=9.0),
        replaced,
        asks("https://evil.example/x"),
        at_another_line,
    ):
        change(new)
    kinds = [kind for kind, _ in found(release(), new)]
    assert kinds == ["checkpoint-replaced", "slower", "host-new", "entrypoint-new"]
    places = [list(KINDS).index(kind) for kind in kinds]
    assert places == sorted(places)
    ranks = [kind.severity for kind in KINDS.values() if kind.severity]
    assert [each for each, _ in itertools.groupby(ranks)] == list(SEVERITIES)


def test_every_kind_that_needs_action_says_what_to_do() -> None:
    for kind in KINDS.values():
        assert re.fullmatch(schema()["$defs"]["change"]["properties"]["kind"]["pattern"], kind.name)
        assert kind.help or kind.severity == "note"


def test_the_page_lists_every_kind_with_its_severity() -> None:
    page = (ROOT / "docs" / "diff.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\| `([a-z-]+)` \| (error|warning|note|the finding's) \| (.*) \|$", page, re.MULTILINE
    )
    assert listed == [
        (kind.name, kind.severity or "the finding's", kind.says) for kind in KINDS.values()
    ]


@pytest.mark.parametrize("backwards", [False, True])
def test_where_one_report_does_not_say_who_asked_downloads_are_not_compared(
    backwards: bool,
) -> None:
    old, new = release(), release()
    for item in old["network"]:
        del item["entrypoint"]
    pair = (new, old) if backwards else (old, new)
    assert found(*pair) == []


@pytest.mark.parametrize("backwards", [False, True])
def test_what_a_run_that_proved_nothing_did_not_look_for_is_not_mended(backwards: bool) -> None:
    old, new = release(), release()
    stopped = finding("verify", name="not-verified", severity="error", message="no network")
    new |= {"status": "error", "entrypoints": [], "checkpoints": [], "network": [],
            "selection": None, "findings": [stopped]}  # fmt: skip
    pair = (new, old) if backwards else (old, new)
    assert [kind for kind, _ in found(*pair)] == ["nothing-compared"]
