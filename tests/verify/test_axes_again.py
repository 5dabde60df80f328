"""The axes that load a case again: ``offline`` and ``reproducible``, each passed and failed."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import again
from hubpub.verify.axes import Evidence
from hubpub.verify.egress import Request
from hubpub.verify.jobs import Done
from hubpub.verify.offer import LIST, Offer, Store
from hubpub.verify.report import Axis, Checkpoint, Facts, StampReport
from proving import DOWNLOAD, Prove
from publishing import Server

needs_sandbox = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")


def weights(**tensors: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors or {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, buffer)
    return buffer.getvalue()


def stamped(data: bytes, name: str = "net") -> str:
    return f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth"


NETS = '''
def cached():
    """Loads all from its checkpoint, which stays in the cache."""
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(torch.hub.load_state_dict_from_url("URL", progress=False))
    return model


def greedy():
    """Downloads each time."""
    path = _get("URL", "greedy.pth")
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(torch.load(path))
    return model


def calls_home():
    """Asks for the newest version each time, and goes on where nobody answers."""
    import urllib.request
    try:
        urllib.request.urlopen("HOST/version").read()
    except OSError:
        pass
    return cached()


def gives_up():
    """Needs a file that lies in a temporary directory."""
    import tempfile
    path = os.path.join(tempfile.gettempdir(), "w.pth")
    if not os.path.exists(path):
        torch.hub.download_url_to_file("URL", path, progress=False)
    return cached()


def head():
    """Has a layer that no checkpoint holds, and another that one does."""
    model = torch.nn.ModuleDict({"body": cached(), "head": torch.nn.Linear(2, 2)})
    return model


def own_random():
    """Draws from the other generators."""
    import random
    model = cached()
    with torch.no_grad():
        model.bias.fill_(random.random())
    return model


def plain():
    """Downloads nothing."""
    return torch.nn.Linear(3, 2)


def broken():
    """Does not load."""
    raise ValueError("no")


def tree():
    """Has its checkpoint in the tree."""
    model = torch.nn.Linear(3, 2)
    path = os.path.join(os.path.dirname(__file__), "tree.pth")
    model.load_state_dict(torch.load(path))
    return model


def notes():
    """Writes beside its checkpoint, and needs that again."""
    model = cached()
    note = os.path.join(torch.hub.get_dir(), "notes", "seen.json")
    os.makedirs(os.path.dirname(note), exist_ok=True)
    with open(note, "a+") as file:
        file.write("x")
    return model


def big():
    """More than is copied: a link to what nobody can change."""
    state = torch.hub.load_state_dict_from_url("HOST/big.pth", progress=False)
    path = os.path.join(torch.hub.get_dir(), "checkpoints", "big.pth")
    if os.path.islink(path):
        try:
            open(path, "r+b")
        except OSError:
            pass
        else:
            raise RuntimeError("what the parent offers can be written to")
    model = torch.nn.Linear(600, 600, bias=False)
    model.load_state_dict(state)
    return model
'''
NO_CACHE = "nothing was downloaded"
EXPECTED = {
    "cached": ("pass", "", "pass", ""),
    "greedy": ("fail", "asks for URL again, with a warm cache, and does not load", "pass", ""),
    "calls_home": ("pass", "", "pass", ""),
    "gives_up": ("fail", "asks for URL again", "pass", ""),
    "head": ("pass", "", "fail", "different weights: head.bias, head.weight"),
    "own_random": ("pass", "", "fail", "different weights: bias"),
    "plain": ("skipped", NO_CACHE, "skipped", "no checkpoint used"),
    "broken": ("skipped", "did not load", "skipped", "did not load"),
    "tree": ("skipped", NO_CACHE, "pass", ""),
    "notes": ("pass", "", "pass", ""),
    "big": ("pass", "", "pass", ""),
}


@needs_sandbox
def test_each_publisher_gets_its_verdict(prove: Prove, http_server: Server) -> None:
    data = weights()
    big = weights(weight=torch.ones(600, 600))
    assert len(big) > 1 << 20
    path = f"/{stamped(data)}"
    http_server.serve({path: data, "/version": b"2", "/big.pth": big})
    url, host = http_server.url(path), http_server.url().rstrip("/")
    text = DOWNLOAD + NETS.replace("URL", url).replace("HOST", host)
    files: dict[str, Any] = {"tree.pth": data}
    run = prove(text, "--allow-host", http_server.host, files=files)

    assert run.code == 1, run.text  # for the one that does not load, and no other
    assert [item["name"] for item in run.report["findings"] if item["severity"] == "error"] == [
        "loads"
    ]
    for name, (offline, why, reproducible, differs) in EXPECTED.items():
        for axis, status, words in (
            ("offline", offline, why),
            ("reproducible", reproducible, differs),
        ):
            found, reason = run.axis(name, axis)
            assert found == status, (name, axis, reason)
            assert words.replace("URL", url).replace("HOST", host) in reason, (name, axis, reason)
    # One download for each case that keeps it: the second load took nothing from the server.
    asked = [request.target for request in http_server.requests]
    assert asked.count("/big.pth") == 1
    denied = [entry for entry in run.report["network"] if entry["decision"] == "denied"]
    assert {entry["url"] for entry in denied} == {url, f"{host}/version"}
    assert all("no network" in entry["reason"] for entry in denied)


KEEPING = """
def net():
    "x"
    path = os.path.join(torch.hub.get_dir(), "checkpoints", os.path.basename("URL"))
    warm = os.path.exists(path)
    torch.hub.load_state_dict_from_url("URL", progress=False)
    if not warm:
        KEEP
    assert os.path.lexists("kept"), "not here any more"
    return torch.nn.Linear(3, 2)
"""


@needs_sandbox
@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        ("open('kept', 'w').close()", ""),
        ("os.symlink('/etc/passwd', 'kept')", "work/kept is a symbolic link"),
        ("open('one', 'w').close(), os.link('one', 'kept')", "work/kept has several hard links"),
        ("open('kept', 'wb').truncate(1 << 20)", "work/kept is sparse"),
    ],
)
def test_only_plain_content_reaches_the_second_job(
    prove: Prove, http_server: Server, keep: str, reason: str
) -> None:
    """Links and second names stay behind; what needs them is not called broken for that."""
    data = weights()
    path = f"/{stamped(data)}"
    http_server.serve({path: data})
    text = KEEPING.replace("URL", http_server.url(path)).replace("KEEP", keep)
    run = prove(text, "--allow-host", http_server.host)
    assert run.axis("net") == ("pass", "")
    status, why = run.axis("net", "offline")
    assert status == ("skipped" if reason else "pass"), why
    assert why.endswith(reason)


def test_the_store_offers_what_was_hashed_and_nothing_else(tmp_path: Path) -> None:
    left = tmp_path / "job1"
    cache = left / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "a.pth").write_bytes(b"a" * 9)
    (cache / "changed.pth").write_bytes(b"new")
    (cache / "refused.pth").write_bytes(b"x")
    (cache / "large.bin").write_bytes(b"l" * 5000)
    (cache / "near").symlink_to("a.pth")
    (cache / "far").symlink_to("/etc/passwd")
    (cache / "up").symlink_to("../../../../secret")
    (left / "torch/hub/octo_net_v1.0").symlink_to("/tree/octo_net_v1.0")
    (left / "tmp").mkdir()
    (left / "tmp" / "t").write_bytes(b"t")
    (tmp_path / "secret").write_bytes(b"s")
    os.mkfifo(cache / "pipe")
    sha256 = hashlib.sha256(b"a" * 9).hexdigest()
    at = "torch/hub/checkpoints"
    hashed = {f"{at}/a.pth": sha256, f"{at}/changed.pth": "0" * 64, f"{at}/refused.pth": None}
    store = Store(tmp_path / "store")
    offer = store.fill(left, hashed, 1000, "torch/hub/octo_net_v1.0")
    assert offer.files == {f"{at}/a.pth": sha256}
    assert offer.links == {f"{at}/near": "a.pth"}
    assert offer.lacks is not None
    assert {path.name for path in store.folder.iterdir()} == {sha256, LIST}
    assert (store.folder / sha256).stat().st_mode & 0o777 == 0o444
    assert [item["path"] for item in json.loads((store.folder / LIST).read_text())] == [
        f"{at}/a.pth",
        f"{at}/near",
    ]
    assert store.fill(left / "none", {}, 1000, "").files == {}
    odd = tmp_path / "job2"
    odd.mkdir()
    (odd / "home").write_bytes(b"a file in its place")
    (odd / "work").symlink_to(left / "torch")
    offer = store.fill(odd, {}, 1000, "")
    assert (offer.files, offer.links) == ({}, {})
    store.clear()
    assert list(store.folder.iterdir()) == []


def test_the_store_stops_where_it_is_told_to(tmp_path: Path) -> None:
    work = tmp_path / "job1" / "work"
    work.mkdir(parents=True)
    for name in "ab":
        (work / name).write_bytes(b"1")
    offer = Store(tmp_path / "s").fill(tmp_path / "job1", {}, 9, "", lambda: "is not read: late")
    assert (offer.files, offer.lacks) == ({}, "work/a is not read: late")
    many = Store(tmp_path / "m").fill(tmp_path / "job1", {}, 1, "")
    assert list(many.files) == ["work/a"]
    assert "work/b is larger" in (many.lacks or "")


def done(claims: dict[str, Any] | None, *urls: str, ended: str = "exit", code: int = 0) -> Done:
    facts = Facts(code if ended == "exit" else None, None, 0.1, 0.1, 1, ended)
    requests = tuple(Request("job2", "GET", url, "denied") for url in urls)
    return Done(facts, claims, requests, (), Path("/nowhere"), "/scratch/job2", "/tree/x")


OK = {"ok": True}
LOST = {"ok": False, "error": {"type": "OSError", "message": "gone", "frame": {}}}

WHERE = "there: '/scratch/job2/torch/x'"
THERE = {"ok": False, "error": {"type": "FileExistsError", "message": WHERE}}


@pytest.mark.parametrize(
    ("asked", "lacks", "second", "status", "words"),
    [
        ((), None, done(OK), "skipped", "nothing"),
        (("u",), None, None, "skipped", "deadline"),
        (("u",), None, done(OK), "pass", ""),
        (("u",), "a b", done(OK), "pass", ""),
        (("u",), None, done(OK, "http://h/x"), "fail", "http://h/x again"),
        (("u",), None, done(OK, "http://h/x", "http://h/x", "http://h/y"), "fail", "x and 1 more"),
        (("u",), "a is a FIFO", done(OK, "http://h/x"), "skipped", "a is a FIFO"),
        (("u",), None, done(LOST, code=1), "fail", "OSError: gone"),
        (("u",), "a is a FIFO", done(LOST, code=1), "skipped", "a is a FIFO"),
        (("u",), None, done(THERE, code=1), "fail", "cache: FileExistsError: there: 'torch/x'"),
        (("u",), None, done(None, ended="timeout"), "fail", "timeout"),
        (("u",), None, done(None, code=3), "fail", "status 3"),
        (("u",), None, done(OK, code=1), "fail", "status 1"),
    ],
)
def test_offline(
    asked: object, lacks: str | None, second: Done | None, status: str, words: str
) -> None:
    verdict = again.offline(asked, Offer(lacks=lacks), second)
    assert verdict.status == status
    assert words in (verdict.reason or "")


def seen(claims: dict[str, Any], *, used: bool = True) -> Evidence:
    facts = Facts(0, None, 0.1, 0.1, 1, "exit")
    one = Checkpoint(
        "x.pth", "0" * 64, 1, StampReport(None, "absent"), (), (), Axis("pass"), (), "zip"
    )
    used_ones = (one,) if used else ()
    return Evidence("net", {}, frozenset(), False, False, facts, claims, (), used_ones, (), ())


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("d", "d", "pass"), ("d", "e", "fail"), ("d", None, "fail"), (None, None, "fail")],
)
def test_who_asks_in_vain_and_loads_the_same_is_offline(
    first: str | None, second: str | None, status: str
) -> None:
    """As huggingface_hub asks whether its cache is of today; not so what loads other weights."""
    again_ = done({**OK, **({"digest": second} if second else {})}, "http://h/x")
    assert again.offline(("u",), Offer(lacks=None), again_, first).status == status


ONE = {"ok": True, "digest": "d1", "tensors": ["1a a", "1b b c"]}
TWO = {"ok": True, "digest": "d2", "tensors": ["1a a", "2b b c", "3d d"]}


@pytest.mark.parametrize(
    ("first", "used", "second", "status", "words"),
    [
        (ONE, False, done(ONE), "skipped", "no checkpoint"),
        ({"ok": True}, True, done(ONE), "skipped", "no state_dict"),
        (ONE, True, None, "skipped", "deadline"),
        (ONE, True, done(LOST, code=1), "skipped", "OSError: gone"),
        (ONE, True, done(OK), "skipped", "second time"),
        (ONE, True, done(ONE), "pass", ""),
        (ONE, True, done(TWO), "fail", "weights: b c, d"),
        (ONE, True, done({"ok": True, "digest": "d2"}), "fail", "the state_dict"),
    ],
)
def test_reproducible(
    first: dict[str, Any], used: bool, second: Done | None, status: str, words: str
) -> None:
    verdict = again.reproducible(seen(first, used=used), second)
    assert verdict.status == status
    assert words in (verdict.reason or "")


NEIGHBOURS = '''
OFFERED = os.path.join(os.path.dirname(os.path.realpath(os.path.dirname(__file__))), "offered")


def a_leaves():
    """Leaves a note in its cache, and looks whether a later job of its own has changed it."""
    torch.hub.load_state_dict_from_url("URL", progress=False)
    note = os.path.join(torch.hub.get_dir(), "note.txt")
    text = open(note).read() if os.path.exists(note) else "none"
    assert text in ("none", "first"), text
    with open(note, "w") as file:
        file.write("first" if text == "none" else "second")
    return torch.nn.Linear(3, 2)


def b_looks():
    """Looks for what another entrypoint has left."""
    assert os.path.isdir(OFFERED)
    found = [name for _, _, names in os.walk(torch.hub.get_dir()) for name in names]
    assert found in ([], ["trusted_list"]), found
    for name in ("offered.json", "SHA256"):
        assert not os.path.exists(os.path.join(OFFERED, name)), name
    return torch.nn.Linear(3, 2)


def c_writes():
    """Tries to change what is offered to the jobs after it."""
    assert os.path.isdir(OFFERED)
    torch.hub.load_state_dict_from_url("URL", progress=False)
    for name in (OFFERED, os.path.join(OFFERED, "offered.json"), os.path.join(OFFERED, "SHA256")):
        for change in (lambda: os.chmod(name, 0o777), lambda: os.rename(name, name + "x"),
                       lambda: os.unlink(name), lambda: open(name, "r+b")):
            try:
                change()
            except OSError:
                continue
            raise RuntimeError(f"{name} could be changed")
    return torch.nn.Linear(3, 2)
'''


@needs_sandbox
def test_nothing_else_passes_from_job_to_job(prove: Prove, http_server: Server) -> None:
    data = weights()
    path = f"/{stamped(data)}"
    http_server.serve({path: data})
    text = NEIGHBOURS.replace("URL", http_server.url(path))
    text = text.replace("SHA256", hashlib.sha256(data).hexdigest())
    run = prove(text, "--allow-host", http_server.host)
    for name in ("a_leaves", "b_looks", "c_writes"):
        for axis in ("loads", "coexists"):
            assert run.axis(name, axis) == ("pass", ""), (name, axis)
    for name in ("a_leaves", "c_writes"):
        assert run.axis(name, "offline") == ("pass", ""), name
    assert "sandbox" not in {item["name"] for item in run.report["findings"]}
