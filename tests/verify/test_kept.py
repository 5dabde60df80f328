"""Each file is asked of its server once in a run: what is replayed, to whom, and what never is."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import requested
from hubpub.verify.egress import Stock
from hubpub.verify.egress.kept import Answer, Flight, Kept, key
from hubpub.verify.egress.log import KEPT
from hubpub.verify.report import Network
from proving import DOWNLOAD, Prove
from proxying import Open, Proxy, proxy
from publishing import Server
from rough import FILE, SIZE, Rough, in_turn, raw, reply

__all__ = ["proxy"]  # a fixture
needs_sandbox = pytest.mark.proof
HASH = hashlib.sha256(FILE).hexdigest()
ASKED = "/net.pth"


def kept(folder: Path, most: int = 1 << 20) -> Stock:
    return Stock(Kept(folder / "kept", most))


def again(there: Proxy, path: str, job: str = "job2", **headers: str) -> tuple[int, str, bytes]:
    """Ask once more, in a job of its own."""
    there.egress.settle()
    there.egress.begin(job)
    return there.ask("GET", path, **headers)


def sources(there: Proxy, job: str, count: int = 1) -> list[str | None]:
    for _ in range(500):
        if len(there.egress.requests(job)) >= count:
            break
        time.sleep(0.01)
    return [entry.source for entry in there.egress.requests(job)]


def test_a_later_job_gets_what_the_first_got(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    rough.scripts[ASKED] = reply(200, X_Said="once", Set_Cookie="a=b")
    there = proxy(rough.host, stock=kept(tmp_path))
    url = rough.url(ASKED)
    assert there.ask("GET", url) == again(there, url) == (200, "X", FILE)
    assert len(rough.requests) == 1
    assert (sources(there, "job1"), sources(there, "job2")) == (["kept"], ["kept"])
    first, second = (there.egress.requests(job)[0] for job in ("job1", "job2"))
    for entry in (first, second):
        assert (entry.decision, entry.status, entry.size, entry.announced, entry.sha256) == (
            "allowed", 200, SIZE, SIZE, HASH,
        )  # fmt: skip
    request = f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    there.egress.begin("job3")
    head = there.say(request).split(b"\r\n\r\n")[0].lower()
    assert b"x-said: once" in head
    assert b"set-cookie: a=b" in head


NOT_KEPT: Mapping[str, tuple[Any, Mapping[str, str], Mapping[str, str]]] = {
    "no-store": (reply(Cache_Control="private, No-Store"), {}, {}),
    "varies by all": (reply(Vary="*"), {}, {}),
    "not found": (reply(404), {}, {}),
    "a part": (reply(206, FILE[:64]), {"Range": "bytes=0-63"}, {"Range": "bytes=0-63"}),
    "conditional": (reply(), {"If-None-Match": '"x"'}, {"If-None-Match": '"x"'}),
    "another client": (reply(), {"User-Agent": "a"}, {"User-Agent": "b"}),
    "other types": (reply(), {"Accept": "text/html"}, {}),
    "no end": (raw(b"HTTP/1.1 200 OK\r\n\r\n" + FILE), {}, {}),
    "cut": (reply(Content_Length=str(SIZE + 1)), {}, {}),
    "a redirect alone": (reply(302, b"", Location="/elsewhere"), {}, {}),
    "a redirect to nowhere": (reply(302, b"", Location="ftp://x/y"), {}, {}),
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_is_asked_again(rough: Rough, proxy: Open, tmp_path: Path, name: str) -> None:
    script, first, second = NOT_KEPT[name]
    rough.scripts[ASKED] = script
    there = proxy(rough.host, stock=kept(tmp_path))
    assert there.ask("GET", rough.url(ASKED), **first)[0] > 0
    again(there, rough.url(ASKED), **second)
    assert len(rough.requests) == 2
    there.egress.settle()
    left = {path.name for path in (tmp_path / "kept").iterdir()}
    assert not {item for item in left if item.startswith("part")}


def test_a_job_that_downloads_twice_asks_twice(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    """So does its user; what the first job was answered first stays."""
    other = FILE[:-1] + b"x"
    rough.scripts[ASKED] = in_turn(reply(), reply(200, other))
    there = proxy(rough.host, stock=kept(tmp_path))
    url = rough.url(ASKED)
    assert [there.ask("GET", url)[2] for _ in range(2)] == [FILE, other]
    assert sources(there, "job1", 2) == ["kept", None]
    assert again(there, url)[2] == FILE
    assert len(rough.requests) == 2


def test_what_came_at_the_second_try_is_kept(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    rough.scripts[ASKED] = in_turn(reply(503), reply())
    there = proxy(rough.host, stock=kept(tmp_path))
    assert [there.ask("GET", rough.url(ASKED))[0] for _ in range(2)] == [503, 200]
    assert again(there, rough.url(ASKED))[2] == FILE
    assert len(rough.requests) == 2
    assert sources(there, "job1", 2) == [None, "kept"]


def test_a_job_does_not_wait_for_itself(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    """It opens the URL to look, does not read, and opens it again."""
    large = bytes(8 << 20)
    rough.scripts[ASKED] = reply(200, large)
    there = proxy(rough.host, stock=kept(tmp_path, 1 << 30), budget=1 << 30)
    with there.connect() as connection:
        connection.sendall(f"GET {rough.url(ASKED)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(1) == b"H"
        assert there.ask("GET", rough.url(ASKED))[2] == large
    assert len(rough.requests) == 2
    assert again(there, rough.url(ASKED))[2] == large
    assert len(rough.requests) == 2


def test_head_is_asked_of_the_server(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    rough.scripts[ASKED] = reply()
    there = proxy(rough.host, stock=kept(tmp_path))
    there.ask("GET", rough.url(ASKED))
    there.ask("HEAD", rough.url(ASKED))
    assert [method for method, _, _ in rough.requests] == ["GET", "HEAD"]


def test_a_redirect_is_replayed_with_what_it_leads_to(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    """As of a release: the target is signed for a few minutes, and another one each time."""
    expired = reply(403, b"expired")
    for number in (1, 2):
        rough.scripts[f"/signed?{number}"] = in_turn(reply(), expired)
    rough.scripts["/release"] = in_turn(
        *(
            reply(302, b"", Location=f"/signed?{number}", Cache_Control="no-cache")
            for number in (1, 2)
        )
    )
    there = proxy(rough.host, stock=kept(tmp_path))
    url, signed = rough.url("/release"), rough.url("/signed?1")
    assert there.ask("GET", url)[0] == 302
    assert there.ask("GET", signed)[2] == FILE
    assert again(there, url)[0] == 302
    for _ in range(2):  # the second time too: where it was led may have expired
        assert there.ask("GET", signed)[2] == FILE
    assert len(rough.requests) == 2
    assert sources(there, "job2", 3) == ["kept"] * 3
    hops = there.egress.requests("job2")
    assert [(hop.status, hop.location) for hop in hops[:2]] == [(302, "/signed?1"), (200, None)]


def test_a_redirect_whose_end_did_not_fit_is_asked_anew(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    for number in (1, 2):
        rough.scripts[f"/signed?{number}"] = in_turn(reply(), reply(403, b"expired"))
    rough.scripts["/release"] = in_turn(
        *(reply(302, b"", Location=f"/signed?{number}") for number in (1, 2))
    )
    there = proxy(rough.host, stock=kept(tmp_path, SIZE - 1))
    assert there.ask("GET", rough.url("/release"))[0] == 302
    assert there.ask("GET", rough.url("/signed?1"))[0] == 200
    assert again(there, rough.url("/release"))[0] == 302
    assert there.ask("GET", rough.url("/signed?2"))[0] == 200
    assert len(rough.requests) == 4


@pytest.mark.parametrize("announced", [True, False])
def test_what_does_not_fit_is_downloaded_again(
    rough: Rough, proxy: Open, tmp_path: Path, announced: bool
) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (500, bytes(500)) for _ in range(10)) + b"0\r\n\r\n"
    chunked = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    rough.scripts[ASKED] = reply(200, bytes(SIZE)) if announced else chunked
    rough.scripts["/small"] = reply(200, b"small")
    there = proxy(rough.host, stock=kept(tmp_path, SIZE - 1))
    for job in ("job1", "job2"):
        for path, body in ((ASKED, bytes(SIZE)), ("/small", b"small")):
            there.egress.begin(job)
            assert there.ask("GET", rough.url(path))[::2] == (200, body)
    assert [target for _, target, _ in rough.requests] == [ASKED, "/small", ASKED]
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [b"small"]


def test_one_content_lies_there_once(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    there = proxy(rough.host, stock=kept(tmp_path, SIZE + SIZE // 2))
    for path in ("/a", "/b"):
        rough.scripts[path] = raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
            % (SIZE // 2, FILE[: SIZE // 2])
        )
        there.ask("GET", rough.url(path))
        again(there, rough.url(path), job=f"job{path}")
    assert [target for _, target, _ in rough.requests] == ["/a", "/b"]
    (only,) = (tmp_path / "kept").iterdir()
    assert only.name == hashlib.sha256(FILE[: SIZE // 2]).hexdigest()


def test_a_copy_that_somebody_changed_does_not_pass(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    """Nobody in a sandbox can; without one (tier none) the user's own processes could."""
    rough.scripts[ASKED] = reply()
    there = proxy(rough.host, stock=kept(tmp_path))
    there.ask("GET", rough.url(ASKED))
    assert sources(there, "job1") == ["kept"]
    (tmp_path / "kept" / HASH).write_bytes(FILE[:-1] + b"x")
    again(there, rough.url(ASKED))
    sources(there, "job2")
    (entry,) = there.egress.requests("job2")
    assert (entry.decision, entry.source) == ("cut", "kept")
    assert "has changed" in str(entry.reason)


def test_what_is_replayed_counts_as_a_download(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    rough.scripts[ASKED] = reply()
    stock = kept(tmp_path)
    proxy(rough.host, stock=stock).ask("GET", rough.url(ASKED))
    there = proxy(rough.host, stock=stock, budget=SIZE - 1)
    there.ask("GET", rough.url(ASKED))
    (entry,) = there.log()
    assert (entry.decision, entry.source) == ("cut", "kept")
    assert "--download-limit" in str(entry.reason)
    assert len(rough.requests) == 1


def test_an_offline_job_gets_nothing(rough: Rough, proxy: Open, tmp_path: Path) -> None:
    rough.scripts[ASKED] = reply()
    there = proxy(rough.host, stock=kept(tmp_path))
    there.ask("GET", rough.url(ASKED))
    there.egress.settle()
    there.egress.begin("job2", offline=True)
    assert there.ask("GET", rough.url(ASKED))[0] == 403


def test_no_other_user_can_look_into_it(tmp_path: Path) -> None:
    store = Kept(tmp_path / "kept", 1)
    assert store.folder.stat().st_mode & 0o077 == 0


# --- lanes ----------------------------------------------------------------------------------------


def slowly(pieces: int, pause: float) -> Callable[..., None]:
    part = SIZE // pieces
    return raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (part * pieces),
        FILE[:part],
        pause=pause,
        again=pieces,
    )


def test_a_lane_waits_for_what_another_is_getting(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    rough.scripts["/slow"] = slowly(5, 0.1)
    rough.scripts["/to"] = reply(302, b"", Location="/slow")
    stock = kept(tmp_path)
    lanes = [proxy(rough.host, stock=stock) for _ in range(4)]
    got: list[bytes] = []

    def ask(there: Proxy) -> None:
        assert there.ask("GET", rough.url("/to"))[0] == 302
        got.append(there.ask("GET", rough.url("/slow"))[2])

    threads = [threading.Thread(target=ask, args=(there,)) for there in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(body) for body in got] == [SIZE] * 4
    assert sorted(target for _, target, _ in rough.requests) == ["/slow", "/to"]
    assert {entry.source for there in lanes for entry in there.log(2)} == {"kept"}


def test_who_waits_goes_itself_where_the_other_fails(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    short = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", b"", pause=0.5)
    rough.scripts[ASKED] = in_turn(short, reply())
    stock = kept(tmp_path)
    one, two = (proxy(rough.host, stock=stock) for _ in range(2))
    first = threading.Thread(target=one.ask, args=("GET", rough.url(ASKED)))
    first.start()
    while not rough.requests:
        time.sleep(0.01)
    assert two.ask("GET", rough.url(ASKED))[2] == FILE
    first.join()
    assert (one.log()[0].decision, two.log()[0].decision) == ("cut", "allowed")


def test_a_lane_whose_job_has_ended_waits_for_nobody(tmp_path: Path) -> None:
    store, name = Kept(tmp_path / "kept", 99), key("http://x/", ())
    first = store.wait(name, lambda: True)
    assert isinstance(first, Flight)
    second = store.wait(name, lambda: False)
    assert isinstance(second, Flight)
    for flight, body in ((second, b"two"), (first, b"one")):
        flight.begin(Answer(200, b"OK", (), announced=3))
        flight.write(body)
        assert flight.keep(3, hashlib.sha256(body).hexdigest()) is (flight is second)
        flight.end()
    answer = store.wait(name, lambda: True)
    assert isinstance(answer, Answer)
    assert b"".join(store.body(answer)) == b"two"
    assert len(list(store.folder.iterdir())) == 1


def test_redirects_that_lead_to_each_other_end(tmp_path: Path) -> None:
    store = Kept(tmp_path / "kept", 99)
    names = [key(f"http://x/{number}", ()) for number in range(2)]
    for here, there in (names, names[::-1]):
        flight = store.wait(here, lambda: True)
        assert isinstance(flight, Flight)
        flight.begin(Answer(302, b"", (), announced=0, location="/", leads_to=there))
        assert flight.keep(0, hashlib.sha256().hexdigest())
    assert store.find(names[0]) is None


def test_a_job_that_ended_while_it_waited_asks_nobody(
    rough: Rough, proxy: Open, tmp_path: Path
) -> None:
    rough.scripts[ASKED] = slowly(5, 0.4)
    stock = kept(tmp_path)
    one, two = (proxy(rough.host, stock=stock) for _ in range(2))
    threads = []
    for there in (one, two):
        request = f"GET {rough.url(ASKED)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        threads.append(threading.Thread(target=there.say, args=(request,)))
        threads[-1].start()
        while not rough.requests:
            time.sleep(0.01)
    time.sleep(0.3)  # so that the second one waits; where it does not yet, it asks nobody either
    two.egress.settle()
    for thread in threads:
        thread.join()
    assert len(rough.requests) == 1


def seen(url: str, status: int, location: str | None = None, source: str | None = KEPT) -> Network:
    return Network("GET", url, status, 1, HASH, "allowed", None, location=location, source=source)


@pytest.mark.parametrize(
    ("network", "sources"),
    [
        ([seen("http://h/a", 302, "/b"), seen("http://h/b", 200)], [KEPT, KEPT]),
        ([seen("http://h/a", 302, "/b"), seen("http://h/b", 200, source=None)], [None, None]),
        (
            [seen("http://h/a", 302, "/b"), seen("http://h/b", 302, "/c"), seen("http://h/c", 200)],
            [KEPT, KEPT, KEPT],
        ),
        ([seen("http://h/a", 302, "/b"), seen("http://h/b", 302, "/a")], [None, None]),
        ([seen("http://h/a", 302, "/b")], [None]),
        ([seen("http://h/a", 200, source="supplied")], ["supplied"]),
        ([seen("http://h/a", 302, "http://[", None)], [None]),
    ],
)
def test_a_redirect_is_kept_with_its_end(network: list[Network], sources: list[str | None]) -> None:
    assert [item.source for item in requested.settled(network)] == sources


# --- a run ----------------------------------------------------------------------------------------

NETS = """
def _net(name):
    model = torch.nn.Linear(1, 1)
    model.load_state_dict(torch.load(_get("URL", name)))
    return model


def a():
    "Keeps nothing for its other loads: each asks again."
    return _net("once.pth")


def b(pretrained=False):
    "Has two cases."
    return _net("again.pth")


def c():
    "Looks whether its file is there; what the run keeps is not."
    assert "/kept" not in open("/proc/self/mountinfo").read()
    path = os.path.join(torch.hub.get_dir(), "c.pth")
    if not os.path.exists(path):
        _get("URL", "c.pth")
    model = torch.nn.Linear(1, 1)
    model.load_state_dict(torch.load(path))
    return model
"""


@needs_sandbox
@pytest.mark.parametrize("options", [(), ("--jobs", "3")], ids=["one lane", "three lanes"])
def test_a_run_asks_a_server_once(
    prove: Prove, http_server: Server, options: tuple[str, ...]
) -> None:
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    import io

    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(1, 1), "bias": torch.zeros(1)}, buffer)
    data = buffer.getvalue()
    name = f"/net-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    http_server.serve({"/latest": (302, {"Location": name}, b""), name: data})
    text = DOWNLOAD + NETS.replace("URL", http_server.url("/latest"))
    run = prove(text, "--allow-host", http_server.host, *options)
    for entrypoint in "abc":
        for axis in ("loads", "reproducible", "coexists"):
            assert run.axis(entrypoint, axis) == ("pass", ""), (entrypoint, axis, run.text)
    assert run.axis("a", "offline")[0] == run.axis("b", "offline")[0] == "fail"
    assert run.axis("c", "offline") == ("pass", "")
    assert [request.target for request in http_server.requests] == ["/latest", name]
    # a: loads, coexists, pickles, reproducible; b: twice as much; c: from its cache but once.
    answered = [entry for entry in run.report["network"] if entry["decision"] == "allowed"]
    bodies = [entry for entry in answered if entry["status"] == 200]
    assert len(bodies) == 4 + 8 + 1
    digest = hashlib.sha256(data).hexdigest()
    assert {(entry["sha256"], entry["bytes"]) for entry in bodies} == {(digest, len(data))}
    assert {entry["source"] for entry in answered} == {"kept"}
    (checkpoint,) = {item["sha256"] for item in run.report["checkpoints"]}
    assert checkpoint == digest
