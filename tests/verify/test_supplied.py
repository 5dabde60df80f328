"""``--checkpoints DIR``: which file answers for which URL, and what the report says of it."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import RunHubpub
from hubpub.errors import UsageError
from hubpub.verify.egress import Stock
from hubpub.verify.egress.place import Place, read_url
from hubpub.verify.egress.supplied import Supplied
from proving import DOWNLOAD, Prove
from proxying import Open, proxy
from publishing import write_files
from rough import Rough, reply

__all__ = ["proxy"]  # a fixture
needs_sandbox = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")


def place(url: str) -> Place:
    found = read_url(url)
    assert found is not None
    return found


FILES = {
    "net.pth": "plain",
    "a b.pth": "spaced",
    "h.example/v1/net.pth": "of one host",
    "h.example:8080/net.pth": "of one port",
    "h.example/get/file?id=7": "of one query",
    "raw.example/%41.pth": "as it is written",
    ".netrc": "secret",
    "h.example/.git/config": "secret",
    "folder.pth/x": "below a folder",
}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://other.example/v1/net.pth", "net.pth"),
        ("https://other.example/v1/net.pth?download=1", "net.pth"),
        ("https://other.example/v1/net.pth#there", "net.pth"),
        ("https://h.example/v1/net.pth", "h.example/v1/net.pth"),
        ("https://H.example./v1/net.pth", "h.example/v1/net.pth"),
        ("https://h.example/v2/net.pth", "net.pth"),
        ("http://h.example:8080/net.pth", "h.example:8080/net.pth"),
        ("http://h.example:8081/v1/net.pth", "h.example/v1/net.pth"),
        ("https://h.example/get/file?id=7", "h.example/get/file?id=7"),
        ("https://h.example/get/file?id=8", None),
        ("https://h.example/a%20b.pth", "a b.pth"),
        ("https://h.example/%41.pth", None),
        ("https://raw.example/%41.pth", "raw.example/%41.pth"),
        ("https://h.example/", None),
        ("https://h.example/net.pth/", None),
        ("https://h.example/.netrc", None),
        ("https://h.example/%2enetrc", None),
        ("https://h.example/.git/config", None),
        ("https://h.example/x/..%2fnet.pth", None),
        ("https://h.example/%2e%2e/%2e%2e/net.pth", "net.pth"),
        ("https://h.example/net.pth%00", None),
        ("https://h.example/folder.pth", None),
        (f"https://h.example/{'x' * 300}", None),
    ],
)
def test_which_file_answers(tmp_path: Path, url: str, name: str | None) -> None:
    write_files(tmp_path, FILES)
    assert Supplied(tmp_path).find(place(url)) == name


def test_a_link_is_the_callers_own(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "x.bin").write_bytes(b"x")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "net.pth").symlink_to("../far/x.bin")
    (tmp_path / "dir" / "gone.pth").symlink_to("nowhere")
    os.mkfifo(tmp_path / "dir" / "pipe.pth")
    found = [
        Supplied(tmp_path / "dir").find(place(f"http://h/{name}.pth"))
        for name in ("net", "gone", "pipe")
    ]
    assert found == ["net.pth", None, None]


SECRET = "secret-outside"
PIECES = st.sampled_from(
    ["..", "%2e%2e", ".", "/", "%2f", "%5c", "\\", "%00", "in", SECRET, "?", "%", "%zz", "~", "//"]
)


@given(st.lists(PIECES, max_size=10).map("".join))
@example(f"../{SECRET}")
@example(f"%2e%2e%2f{SECRET}")
def test_no_url_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "supplied"
    (folder / "dir" / "h").mkdir(parents=True, exist_ok=True)
    (folder / SECRET).write_bytes(b"s")
    (folder / "dir" / "in").write_bytes(b"i")
    (folder / "dir" / "h" / "in").write_bytes(b"i")
    asked = read_url(f"http://h/{path}")
    name = None if asked is None else Supplied(folder / "dir").find(asked)
    if name is not None:
        real = (folder / "dir" / name).resolve()
        assert real.is_relative_to(folder / "dir")
        assert real.name == "in"


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, words in (("gone", "No such file"), ("file", "is not a directory")):
        with pytest.raises(UsageError, match=words):
            Supplied(tmp_path / name).check()
    with pytest.raises(UsageError, match="--write-lock"):
        Supplied(tmp_path).check(write_lock=True)
    Supplied(tmp_path).check()


def test_the_command_line_refuses_it_before_anything_runs(
    hubpub: RunHubpub, tmp_path: Path
) -> None:
    done = hubpub("verify", "octo/net:v1.0", "--checkpoints", tmp_path / "gone")
    assert (done.returncode, "No such file" in done.stderr) == (2, True)
    done = hubpub("verify", "octo/net:v1.0", "--checkpoints", tmp_path, "--write-lock")
    assert (done.returncode, "no server was asked" in done.stderr) == (2, True)


def test_a_file_answers_and_nobody_is_asked(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    data = b"x" * 200_000
    (tmp_path / "net.pth").write_bytes(data)
    rough.scripts["/other.pth"] = reply()
    there = proxy(rough.host, stock=Stock(supplied=Supplied(tmp_path)))
    url = "https://nowhere.invalid/net.pth"
    assert there.ask("GET", url) == (200, "OK", data)
    assert there.ask("HEAD", url) == (200, "OK", b"")
    assert there.ask("GET", rough.url("/other.pth"))[0] == 200
    assert there.ask("GET", "https://nowhere.invalid/other.pth")[0] == 403
    assert [target for _, target, _ in rough.requests] == ["/other.pth"]
    first, head, other, denied = there.log(4)
    assert (first.decision, first.status, first.source, first.size, first.announced) == (
        "allowed", 200, "supplied", len(data), len(data),
    )  # fmt: skip
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert (head.source, head.size, head.announced) == ("supplied", 0, len(data))
    assert (other.source, denied.source, denied.decision) == (None, None, "denied")
    there.egress.begin("job2", offline=True)
    assert there.ask("GET", url)[0] == 403


def test_a_file_that_cannot_be_read_is_named(proxy: Open, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"x")
    there = proxy(stock=Stock(supplied=Supplied(tmp_path)), budget=0)
    status, _, body = there.ask("GET", "http://h.example/net.pth")
    assert (status, body) == (200, b"")
    assert "--download-limit" in str(there.log()[0].reason)
    if os.geteuid() == 0:
        return  # who reads everything
    (tmp_path / "net.pth").chmod(0)
    status, reason, _ = there.ask("GET", "http://h.example/net.pth")
    assert (status, "net.pth in the --checkpoints directory" in reason) == (403, True)


NETS = """
def air():
    "Its host is allowed to nobody."
    torch.hub.load_state_dict_from_url("https://files.invalid/v1/NAME", progress=False)
    return torch.nn.Linear(2, 1)


def one():
    "Shares a file name with another."
    return _get("http://one.invalid/w.pth", "one.pth") and torch.nn.Linear(1, 1)


def two():
    "Shares a file name with another."
    return _get("http://two.invalid/w.pth", "two.pth") and torch.nn.Linear(1, 1)


def plain():
    "Uses urllib."
    import urllib.request
    with urllib.request.urlopen("https://files.invalid/labels.txt") as answer:
        assert answer.headers["Content-Length"] == "3"
        assert answer.read() == b"cat"
    return torch.nn.Linear(1, 1)


def lacks():
    "Is not there."
    return _get("https://files.invalid/lacks.pth", "lacks.pth") and torch.nn.Linear(1, 1)
"""


def saved(value: float) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.full((1, 1), value)}, buffer)
    return buffer.getvalue()


@needs_sandbox
def test_a_run_without_a_network(prove: Prove, tmp_path: Path) -> None:
    one, two = saved(1), saved(2)
    name = f"net-{hashlib.sha256(one).hexdigest()[:8]}.pth"
    folder = tmp_path / "files"
    write_files(folder, {name: one, "w.pth": one, "two.invalid/w.pth": two, "labels.txt": "cat"})
    run = prove(DOWNLOAD + NETS.replace("NAME", name), "--checkpoints", str(folder))
    for entrypoint in ("air", "one", "two", "plain"):
        assert run.axis(entrypoint) == ("pass", ""), run.text
    assert run.axis("air", "offline") == ("pass", "")
    assert run.axis("air", "weights") == ("pass", "")
    used: dict[str, Any] = {
        item["name"]: item["results"][0]["checkpoints"] for item in run.report["entrypoints"]
    }
    assert used["one"] == used["air"] == [hashlib.sha256(one).hexdigest()]
    assert used["two"] == [hashlib.sha256(two).hexdigest()]
    assert run.report["options"]["checkpoints"] is True
    assert str(folder) not in str(run.report)
    answered = {entry["url"]: entry for entry in run.report["network"] if entry["status"] == 200}
    assert {entry["source"] for entry in answered.values()} == {"supplied"}
    assert answered["http://two.invalid/w.pth"]["sha256"] == hashlib.sha256(two).hexdigest()
    assert run.names().count("supplied-files") == 4
    (lack,) = [item for item in run.report["findings"] if item["name"] == "loads"]
    assert lack["entrypoint"] == "lacks"
    assert "put lacks.pth into the directory of --checkpoints" in lack["help"]
    assert run.code == 1


@needs_sandbox
def test_a_file_that_is_not_what_its_name_says_fails(prove: Prove, tmp_path: Path) -> None:
    write_files(tmp_path / "files", {"net-0123456789.pth": saved(1)})
    text = NETS.replace("NAME", "net-0123456789.pth").partition("def one")[0]
    run = prove(text, "--checkpoints", str(tmp_path / "files"))
    assert run.axis("air")[0] == "pass"
    assert run.axis("air", "weights")[0] == "fail"
    assert run.code == 1
