"""hubpub.lock: what is written, what is read, and that no difference passes in silence."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import RunHubpub
from hubpub.cli import locking
from hubpub.errors import UsageError
from hubpub.output.json import dumps
from hubpub.verify import lock, locked, reference
from hubpub.verify.egress import Request
from hubpub.verify.lock import Lock
from hubpub.verify.lockreport import Difference, NotCompared
from hubpub.verify.report import (
    AXES,
    Axis,
    Checkpoint,
    Entrypoint,
    Facts,
    Result,
    StampReport,
    Used,
)

A, B = "a" * 64, "b" * 64
NET = Used("net.pth", A, 9, "zip", ("https://h.example/net.pth",))
FACTS = Facts(0, None, 0.1, 0.1, 1, "exit")


def result(
    *used: Used, case: str = "default", device: str = "cpu", loads: str = "pass", ran: bool = True
) -> Result:
    axes = dict.fromkeys(AXES, Axis("pass")) | {"loads": Axis(loads, "why")}
    if not ran:
        axes = dict.fromkeys(AXES, Axis("skipped", "why"))
    return Result(device, case, axes, FACTS if ran else None, used=used)


def entry(name: str, *results: Result) -> Entrypoint:
    return Entrypoint(name, results)


def lock_of(**entrypoints: Mapping[str, tuple[Used, ...]]) -> Lock:
    return Lock("octo/net", entrypoints)


# --- what can be locked ---------------------------------------------------------------------------


def test_only_what_loads_is_locked() -> None:
    found = lock.proven([
        entry("skipped", result(ran=False)),
        entry("net", result(), result(NET, case="pretrained"), result(case="bad", loads="fail")),
        entry("broken", result(NET, loads="fail")),
    ])  # fmt: skip
    assert found == {"net": {"default": (), "pretrained": (NET,)}}


def test_the_devices_of_a_machine_change_nothing() -> None:
    one = [entry("net", result(NET), result(device="cuda", ran=False))]
    two = [entry("net", result(NET), result(NET, device="cuda"))]
    assert lock.proven(one) == lock.proven(two) == {"net": {"default": (NET,)}}


def request(url: str, sha256: str | None = None, location: str | None = None) -> Request:
    status = 302 if location else 200
    return Request("1", "GET", url, "allowed", None, status, 9, 9, sha256, location)


def checkpoint(filename: str, sha256: str, path: str | None = None) -> Checkpoint:
    stamp = StampReport(None, "absent")
    return Checkpoint(filename, sha256, 9, stamp, (), (), Axis("pass"), (), "zip", path)


def test_a_file_has_the_url_that_the_code_asked_for() -> None:
    signed = "https://cdn.example/x?X-Amz-Signature=1"
    log = [request("https://h.example/net.pth", location=signed), request(signed, A)]
    assert lock.files_used([checkpoint("net.pth", A)], log) == (NET,)


def test_a_file_that_two_urls_give_has_both_in_one_order() -> None:
    urls = ["https://b.example/net.pth", "https://a.example/net.pth", "https://h.example/net.pth"]
    logs = [[request(url, A) for url in order] for order in (urls, urls[::-1])]
    found = [lock.files_used([checkpoint("net.pth", A)], log) for log in logs]
    assert found[0] == found[1] == (replace(NET, urls=tuple(sorted(urls))),)


def test_a_download_that_was_not_left_is_locked_too() -> None:
    log = [request("https://h.example/net.pth", A), request("https://h.example/about.json", B)]
    assert lock.files_used([], log) == (replace(NET, format=None),)


def test_a_file_of_the_tree_has_a_path_and_no_url() -> None:
    log = [request("https://h.example/net.pth", A)]
    found = lock.files_used([checkpoint("w.pth", A, "w/w.pth"), checkpoint("net.pth", A)], log)
    assert found == (NET, Used("w.pth", A, 9, "zip", (), "w/w.pth"))


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://h.example/a.pth", "https://h.example/a.pth"),
        ("https://h.example/a.pth?raw=true", "https://h.example/a.pth?raw=true"),
        ("https://h.example/a?b=%20&c", "https://h.example/a?b=%20&c"),
        ("https://me:secret@h.example/a", "https://h.example/a"),
        ("https://h.example/a#part", "https://h.example/a"),
        ("https://s3.example/a?X-Amz-Date=1&X-Amz-Signature=2", "https://s3.example/a"),
        ("https://s3.example/a?AWSAccessKeyId=1&Expires=2&Signature=3", "https://s3.example/a"),
        ("https://s3.example/a?%58-Amz-Signature=2&v=3", "https://s3.example/a?v=3"),
        ("https://az.example/a?sv=1&se=2&sig=3", "https://az.example/a"),
        ("https://drive.example/uc?id=7&confirm=t&uuid=9", "https://drive.example/uc?id=7"),
        ("https://h.example/a?access_token=1", "https://h.example/a"),
        ("http://[x/a.pth", "http://x/a.pth"),
    ],
)
def test_what_signs_a_url_is_not_kept(url: str, kept: str) -> None:
    assert lock.stable(url) == kept
    assert lock.stable(kept) == kept


@given(st.text(max_size=60))
def test_any_text_can_be_a_url(text: str) -> None:
    assert "@" not in lock.stable(f"http://{text}").split("/")[2]


# --- writing and reading --------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=12)
USED = st.builds(
    Used,
    filename=NAMES,
    sha256=st.integers(0, (1 << 256) - 1).map(lambda number: f"{number:064x}"),
    size=st.integers(0, (1 << 63) - 1),
    format=st.sampled_from(["zip", "legacy", "torchscript", "safetensors", "unknown", None]),
    urls=st.lists(NAMES, max_size=3, unique=True).map(lambda urls: tuple(sorted(urls))),
    path=st.none() | NAMES,
)
LOCKS = st.builds(
    Lock,
    st.none() | st.just("octo/net"),
    st.dictionaries(
        NAMES,
        st.dictionaries(
            NAMES, st.lists(USED, max_size=3, unique=True).map(lock._sorted), min_size=1, max_size=3
        ),
        max_size=4,
    ),
)


@given(LOCKS)
@example(lock_of(net={"\x1b[31m::x\n": (replace(NET, urls=("##[error]x",)),)}))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, made: Lock) -> None:
    file = tmp_path_factory.getbasetemp() / "hubpub.lock"
    text = dumps(lock.to_json(made))
    file.write_text(text)
    assert lock.read(file) == made
    assert dumps(lock.to_json(lock.read(file))) == text
    assert text.endswith("}\n")
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|##\[|^\s*::", text, re.MULTILINE)


def shuffled(made: Lock, chance: random.Random) -> Lock:
    def order(items: Any) -> Any:
        return dict(chance.sample(list(items), len(items)))

    def files(used: tuple[Used, ...]) -> tuple[Used, ...]:
        mixed = chance.sample(used, len(used))
        return tuple(
            replace(item, urls=tuple(chance.sample(item.urls, len(item.urls)))) for item in mixed
        )

    cases = {
        name: order({case: files(used) for case, used in cases.items()}.items())
        for name, cases in made.entrypoints.items()
    }
    return Lock(made.repository, order(cases.items()))


@given(LOCKS, st.randoms(use_true_random=False))
def test_the_order_of_a_run_changes_no_byte(made: Lock, chance: random.Random) -> None:
    assert dumps(lock.to_json(shuffled(made, chance))) == dumps(lock.to_json(made))


def test_one_fact_is_one_line() -> None:
    text = dumps(lock.to_json(lock_of(net={"default": (NET, SECOND)})))
    lines = [line.strip() for line in text.splitlines()]
    assert all(line.count('": ') <= 1 for line in lines)
    assert lines.count('"size": 9,') == 2
    assert f'"sha256": "{A}",' in lines


@given(st.binary(max_size=200))
@example(b'{"version": 1, "repository": null, "entrypoints": {}}')
@example(b"[" * 100_000)
@example(b'{"version": ' + b"9" * 5000 + b"}")
def test_bytes_are_a_lock_or_a_mistake_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.lock"
    file.write_bytes(data)
    found: Lock | None = None
    with contextlib.suppress(UsageError):
        found = lock.read(file)
    if found is not None:
        assert lock.to_json(found)["entrypoints"] == json.loads(data)["entrypoints"]


def changed(**fields: Any) -> str:
    file = {**lock.to_json(lock_of(net={"default": (NET,)}))}
    file["entrypoints"]["net"]["default"][0].update(fields)
    return json.dumps(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("{}", "at the top, 'version' is a required property"),
        ("[]", "is not of type 'object'"),
        ('{"version": 2, "repository": null, "entrypoints": {}}', "at version, 1 was expected"),
        ('{"version": 1, "repository": 3, "entrypoints": {}}', "at repository, 3 is not of type"),
        (
            '{"version": 1, "repository": null, "entrypoints": {"a": {"d": []}, "a": {"d": []}}}',
            "'a' stands twice in one object",
        ),
        ('{"version": 1, "repository": null, "entrypoints": {"a": {}}}', "at entrypoints/a,"),
        (changed(sha256="a" * 63), "at entrypoints/net/default/0/sha256"),
        (changed(sha256="a" * 64 + "\n"), "at entrypoints/net/default/0/sha256"),
        (changed(sha256="A" * 64), "at entrypoints/net/default/0/sha256"),
        (changed(size=-1), "at entrypoints/net/default/0/size"),
        (changed(size=1 << 63), "at entrypoints/net/default/0/size"),
        (changed(size=float("nan")), "at entrypoints/net/default/0/size"),
        (changed(size=float("inf")), "at entrypoints/net/default/0/size"),
        (changed(size=True), "at entrypoints/net/default/0/size"),
        (changed(format="exe"), "at entrypoints/net/default/0/format"),
        (changed(url="x"), "at entrypoints/net/default/0, Additional properties"),
        (changed(filename=""), "at entrypoints/net/default/0/filename"),
    ],
)
def test_what_is_no_lock_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "hubpub.lock"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        lock.read(file)
    assert said in caught.value.message
    assert caught.value.message.startswith(str(file))
    assert "--write-lock" in str(caught.value.help)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: None, "No such file"),
        (Path.mkdir, "is not a plain file"),
        (os.mkfifo, "is not a plain file"),
        (lambda file: file.symlink_to("/dev/zero"), "is not a plain file"),
        (lambda file: file.symlink_to(file.name), "symbolic links"),
        (lambda file: file.write_bytes(b" " * (lock.MAX_BYTES + 1)), "larger than 16 MiB"),
    ],
    ids=["nothing", "a directory", "a FIFO", "a device", "a loop", "too large"],
)
def test_what_is_no_file_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], Any], said: str
) -> None:
    make(file := tmp_path / "hubpub.lock")
    with pytest.raises(UsageError, match=said):
        lock.read(file)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(lock.schema())


def test_a_lock_that_would_not_be_read_is_not_written() -> None:
    long = tuple(replace(NET, filename=f"{number}" + "x" * 60_000) for number in range(300))
    with pytest.raises(UsageError, match="larger than the 16 MiB"):
        lock.to_json(lock_of(net={"default": long}))


# --- comparing ------------------------------------------------------------------------------------

OLD = lock_of(net={"default": (), "pretrained": (NET,)}, other={"default": ()})
SAME = (
    entry("net", result(), result(NET, case="pretrained")),
    entry("other", result(), result(device="cuda", ran=False)),
)
URLS = "https://h.example/net.pth"
MOVED = "https://h.example/other.pth"
SECOND = replace(NET, sha256=B, urls=(MOVED,))


def pretrained(*used: Used) -> tuple[Entrypoint, ...]:
    return (entry("net", result(), result(*used, case="pretrained")), SAME[1])


Row = tuple[str, "str | None", "str | None", str, "str | None", "str | None"]


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (SAME, []),
        (SAME[::-1], []),
        (pretrained(replace(NET, sha256=B)), [("net", "pretrained", "net.pth", "sha256", A, B)]),
        (pretrained(replace(NET, size=8)), [("net", "pretrained", "net.pth", "size", "9", "8")]),
        (
            pretrained(replace(NET, format=None)),
            [("net", "pretrained", "net.pth", "format", "zip", None)],
        ),
        (
            pretrained(replace(NET, urls=(MOVED,))),
            [("net", "pretrained", "net.pth", "urls", URLS, MOVED)],
        ),
        (
            pretrained(replace(NET, urls=(), path="w/net.pth")),
            [
                ("net", "pretrained", "net.pth", "urls", URLS, None),
                ("net", "pretrained", "net.pth", "path", None, "w/net.pth"),
            ],
        ),
        (
            pretrained(replace(NET, filename="new.pth")),
            [
                ("net", "pretrained", "net.pth", "file", f"sha256 {A}", None),
                ("net", "pretrained", "new.pth", "file", None, f"sha256 {A}"),
            ],
        ),
        (pretrained(), [("net", "pretrained", "net.pth", "file", f"sha256 {A}", None)]),
        (
            pretrained(NET, SECOND),
            [("net", "pretrained", "net.pth", "file", None, f"sha256 {B}")],
        ),
        (
            pretrained(SECOND),
            [
                ("net", "pretrained", "net.pth", "sha256", A, B),
                ("net", "pretrained", "net.pth", "urls", URLS, MOVED),
            ],
        ),
        (
            (entry("net", result(NET), result(NET, case="pretrained")), SAME[1]),
            [("net", "default", "net.pth", "file", None, f"sha256 {A}")],
        ),
        (
            (entry("net", result()), SAME[1]),
            [("net", "pretrained", None, "case", "present", None)],
        ),
        (
            (SAME[0], entry("other", result(), result(case="big"))),
            [("other", "big", None, "case", None, "present")],
        ),
        (SAME[:1], [("other", None, None, "entrypoint", "present", None)]),
        ((*SAME, entry("new", result())), [("new", None, None, "entrypoint", None, "present")]),
        (
            (*SAME, entry("new", result(loads="fail"))),
            [("new", None, None, "entrypoint", None, "present")],
        ),
    ],
)
def test_every_difference_is_found(ran: tuple[Entrypoint, ...], expected: list[Row]) -> None:
    listed = frozenset(item.name for item in ran)
    compared = locked.compare(OLD, ran, listed)
    assert compared.differences == tuple(Difference(*row) for row in expected)
    assert compared.not_compared == ()
    found = locked.findings_of(compared)
    assert [item.name for item in found] == ["locked"] * len(expected)
    assert all(item.severity == "error" and item.code == "verify" for item in found)
    failed = {
        (item.name, each.case)
        for item in locked.marked(ran, compared)
        for each in item.results
        if each.axes["weights"].status == "fail"
    }
    here = {(row[0], each.case) for row in expected for item in ran if item.name == row[0]
            for each in item.results if row[1] in {None, each.case}}  # fmt: skip
    assert failed == here


@pytest.mark.parametrize(
    ("ran", "listed", "expected"),
    [
        (
            (SAME[0], entry("other", result(ran=False))),
            {"net", "other"},
            [NotCompared("other", None, "skipped: why")],
        ),
        (
            (entry("net", result(), result(case="pretrained", loads="fail")), SAME[1]),
            {"net", "other"},
            [NotCompared("net", "pretrained", "does not load: why")],
        ),
        (
            (
                entry(
                    "net",
                    result(),
                    result(case="pretrained", loads="fail"),
                    result(case="pretrained", device="cuda", ran=False),
                ),
                SAME[1],
            ),
            {"net", "other"},
            [NotCompared("net", "pretrained", "does not load: why")],
        ),
        (
            (entry("net", result(), result(case="pretrained", ran=False)), SAME[1]),
            {"net", "other"},
            [NotCompared("net", "pretrained", "skipped: why")],
        ),
        (SAME[:1], {"net", "other"}, [NotCompared("other", None, locked.LEFT_OUT)]),
        (
            (*SAME, entry("new", result(ran=False))),
            {"net", "other", "new"},
            [NotCompared("new", None, "skipped: why")],
        ),
        (
            (),
            None,
            [
                NotCompared("net", None, "torch.hub.list fails"),
                NotCompared("other", None, "torch.hub.list fails"),
            ],
        ),
    ],
)
def test_what_is_not_compared_is_named(
    ran: tuple[Entrypoint, ...], listed: set[str] | None, expected: list[NotCompared]
) -> None:
    compared = locked.compare(OLD, ran, None if listed is None else frozenset(listed))
    assert compared.differences == ()
    assert compared.not_compared == tuple(expected)
    found = locked.findings_of(compared)
    assert [(item.name, item.severity) for item in found] == [("not-compared", "warning")] * len(
        expected
    )
    assert all(item.reason in said.message for item, said in zip(expected, found, strict=True))
    assert locked.marked(ran, compared) == ran


def test_what_a_part_of_a_run_left_out_is_one_warning() -> None:
    names = [f"net{number:03}" for number in range(200)]
    held = Lock(None, {name: {"default": ()} for name in names})
    ran = [entry(name, result()) for name in names[:10]]
    compared = locked.compare(held, ran, frozenset(names))
    assert (compared.compared, len(compared.not_compared)) == (10, 190)
    (found,) = locked.findings_of(compared)
    assert "net010, net011" in found.message
    assert "net029 and 170 more: left out of this run" in found.message


@pytest.mark.parametrize("names", ["one", "many"])
def test_a_large_lock_is_compared_in_reasonable_time(tmp_path: Path, names: str) -> None:
    """Anybody may have written it: what it costs grows as it does, and not as its square."""
    count = 10_000
    used = tuple(
        Used(f"{number if names == 'many' else 0}.pth", f"{number:064x}", 1, None)
        for number in range(count)
    )
    file = tmp_path / "hubpub.lock"
    file.write_text(dumps(lock.to_json(lock_of(net={"default": used}))))
    before = time.process_time()
    held = lock.read(file)
    others = tuple(replace(item, size=2) for item in used)
    ran = (entry("net", result(*others)),)
    compared = locked.compare(held, ran, frozenset({"net"}))
    assert len(compared.differences) == count
    assert len(locked.findings_of(compared)) == count
    assert locked.marked(ran, compared)[0].results[0].axes["weights"].status == "fail"
    assert time.process_time() - before < 40


def test_a_failed_stamp_keeps_its_own_reason() -> None:
    before = result(replace(NET, sha256=B))
    before = replace(before, axes={**before.axes, "weights": Axis("fail", "the stamp")})
    ran = (entry("net", before),)
    compared = locked.compare(lock_of(net={"default": (NET,)}), ran, frozenset({"net"}))
    assert len(compared.differences) == 1
    assert locked.marked(ran, compared) == ran


def ran_as(made: Lock) -> tuple[Entrypoint, ...]:
    return tuple(
        entry(name, *(result(*used, case=case) for case, used in cases.items()))
        for name, cases in made.entrypoints.items()
    )


@given(LOCKS, LOCKS)
def test_a_run_is_as_its_own_lock_and_as_no_other(one: Lock, two: Lock) -> None:
    ran = ran_as(one)
    assert lock.proven(ran) == one.entrypoints
    same = locked.compare(one, ran, frozenset(one.entrypoints))
    assert (same.differences, same.not_compared) == ((), ())
    assert same.compared == sum(map(len, one.entrypoints.values()))
    other = locked.compare(two, ran, frozenset(one.entrypoints))
    assert bool(other.differences) == (one.entrypoints != two.entrypoints)


# --- the flags ------------------------------------------------------------------------------------


def write_lock(folder: Path, repository: str | None = "octo/net") -> Path:
    file = folder / "hubpub.lock"
    file.write_text(dumps(lock.to_json(Lock(repository, OLD.entrypoints))))
    return file


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--locked", "--write-lock"], "one writes what the other would compare with"),
        (["--write-lock", "--entrypoint", "net"], "--write-lock takes a whole run"),
        (["--write-lock", "--shard", "1/2"], "--write-lock takes a whole run"),
        (["--write-lock", "--resume", "report.json"], "--write-lock takes a whole run"),
        (["--locked", "--resume", "report.json"], "--locked compares one whole run"),
        (["--lock", "x.lock"], "--lock says where the lock is"),
        (["--locked"], "hubpub.lock: No such file"),
        (["--write-lock", "--lock", "no/where.lock"], "no directory"),
        (["--locked", "--lock", "theirs.lock"], "theirs.lock is the lock of octo/net, not of a/b"),
        (["--write-lock", "--lock", "theirs.lock"], "is the lock of octo/net, not of a/b"),
        (["--write-lock", "--lock", "notes.txt"], "notes.txt is no JSON"),
        (["--write-lock", "--lock", "."], "is not a plain file"),
        (["--write-lock", "--lock", "x" * 300], "File name too long"),
    ],
)
def test_flags_that_cannot_be_followed_are_refused_before_anything_runs(
    hubpub: RunHubpub, tmp_path: Path, flags: list[str], said: str
) -> None:
    write_lock(tmp_path).rename(tmp_path / "theirs.lock")
    (tmp_path / "notes.txt").write_text("mine\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = hubpub("verify", "a/b", *flags, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "help: " in done.stderr or "no directory" in said or "too long" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("of", "target", "kept"),
    [
        ("octo/net", "octo/net:v1.0", "octo/net"),
        ("octo/net", "Octo/Net", "Octo/Net"),
        (None, "octo/net", "octo/net"),
        ("octo/net", ".", "octo/net"),
        (None, ".", None),
    ],
)
def test_whose_lock_it_is(tmp_path: Path, of: str | None, target: str, kept: str | None) -> None:
    file = write_lock(tmp_path, of)
    asked = reference.parse(target, working_tree=target == ".")
    found = locking.wanted(asked, file, write=True, locked=False)
    assert found.repository == kept
    assert found.held == Lock(of, OLD.entrypoints)
