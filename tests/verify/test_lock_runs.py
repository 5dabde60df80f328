"""``--write-lock`` and ``--locked`` as a user runs them: real git, sandbox, torch.hub and HTTP."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, MakeRepository, RunHubpub
from proving import HEAD
from publishing import Server

sys.path.insert(0, str(ROOT / "examples"))
import demo

pytestmark = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")


def weights(value: float) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.full((2, 3), value), "bias": torch.zeros(2)}, buffer)
    return buffer.getvalue()


OLD, NEW = weights(1.0), weights(2.0)
assert len(OLD) == len(NEW)  # what is swapped shows in nothing but its content


def loading(name: str, url: str) -> str:
    return f'''

def {name}(pretrained=False):
    """A linear layer."""
    model = torch.nn.Linear(3, 2)
    if pretrained:
        url = {url!r}
        state = torch.hub.load_state_dict_from_url(url, weights_only=True, progress=False)
        model.load_state_dict(state)
    return model
'''


def in_tree(name: str, path: str) -> str:
    return f'''

def {name}():
    """Weights that lie in the tree."""
    model = torch.nn.Linear(3, 2)
    path = os.path.join(os.path.dirname(__file__), {path!r})
    model.load_state_dict(torch.load(path, weights_only=True))
    return model
'''


class Locked:
    """Runs ``hubpub verify`` in the directory of a user who keeps a lock there."""

    def __init__(self, hubpub: RunHubpub, folder: Path, server: Server) -> None:
        self._hubpub, self.folder, self._server = hubpub, folder, server
        self.lock = folder / "hubpub.lock"
        folder.mkdir()

    def __call__(self, *args: str, target: str = "octo/net:v1.0") -> int:
        report = self.folder.parent / "report.json"
        formats = ["text", f"json:{report}", f"markdown:{report.with_suffix('.md')}"]
        done = self._hubpub(
            "verify", target, "--device", "cpu", "--allow-host", self._server.host, *args,
            *(part for each in formats for part in ("--output-format", each)),
            cwd=self.folder,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        self.text, self.said = done.stdout, done.stderr
        self.markdown = report.with_suffix(".md").read_text()
        self.report: dict[str, Any] = json.loads(report.read_text())
        return done.returncode

    def weights(self, name: str, case: str = "default") -> tuple[str, str | None]:
        (found,) = [item for item in self.report["entrypoints"] if item["name"] == name]
        (result,) = [item for item in found["results"] if item["case"] == case]
        axis = result["axes"]["weights"]
        return axis["status"], axis["reason"]

    def names(self) -> list[str]:
        return [item["name"] for item in self.report["findings"] if item["code"] == "verify"]

    def rendered(self, name: str) -> str:
        done = self._hubpub("report", self.folder.parent / "report.json", "--format", name)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def run(hubpub: RunHubpub, tmp_path: Path, http_server: Server) -> Locked:
    return Locked(hubpub, tmp_path / "user", http_server)


def test_a_file_swapped_behind_an_unchanged_url_fails(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    url = http_server.url("/net.pth")
    entries = loading("net", url) + loading("plain", http_server.url("/plain.pth"))
    repository({"hubconf.py": HEAD + entries})
    http_server.serve({"/net.pth": OLD, "/plain.pth": OLD})
    assert run("--write-lock") == 0, run.text + run.said
    assert "lock: hubpub.lock is written: 2 entrypoints" in run.said
    assert "lock" not in run.report
    before = run.lock.read_bytes()

    assert run("--locked") == 0, run.text + run.said
    assert run.report["lock"] == {"compared": 4, "differences": [], "not_compared": []}
    assert "hubpub.lock: no difference, 4 cases compared" in run.text
    assert run.weights("net", "pretrained")[0] == "skipped"  # no stamp tells of it

    http_server.serve({"/net.pth": NEW})
    assert run("--locked") == 1
    assert run.report["status"] == "fail"
    digests = [hashlib.sha256(data).hexdigest() for data in (OLD, NEW)]
    difference = {
        "entrypoint": "net", "case": "pretrained", "file": "net.pth", "what": "sha256",
        "locked": digests[0], "found": digests[1],
    }  # fmt: skip
    assert run.report["lock"] == {
        "compared": 4, "differences": [difference], "not_compared": [],
    }  # fmt: skip
    assert run.weights("net", "pretrained") == (
        "fail",
        "not as hubpub.lock has it: net.pth: sha256",
    )
    assert run.weights("net") == ("skipped", "no checkpoint used")
    assert run.weights("plain", "pretrained")[0] == "skipped"
    assert run.names() == ["locked"]
    row = [r"net", r"pretrained", r"net\.pth", "sha256", digests[0][:16], digests[1][:16]]
    assert re.search(rf"^{'  +'.join(row)}$", run.text, re.MULTILINE), run.text
    assert f"| net | pretrained | net\\.pth | sha256 | `{'` | `'.join(digests)}` |" in run.markdown
    assert run.rendered("text") == run.text
    assert digests[0] in run.rendered("html")
    assert run.lock.read_bytes() == before


def test_the_same_release_gives_the_same_bytes(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    """However many lanes, wherever the server redirects to, and whatever this run is signed by."""
    names = ["c", "a", "b"]
    held = "w/held.pth"
    entries = "".join(loading(name, http_server.url(f"/{name}.pth?raw=1")) for name in names)
    repository({"hubconf.py": HEAD + entries + in_tree("d", held), held: OLD})
    numbers = itertools.count()
    found = []
    for options in ([], ["--jobs", "4"], ["--jobs", "3", "--fresh"]):
        signed = f"/cdn?X-Amz-Signature={next(numbers)}"
        http_server.serve({signed: OLD, "/c.pth?raw=1": NEW})
        for name in ("a", "b"):
            http_server.serve({f"/{name}.pth?raw=1": (302, {"Location": signed}, b"")})
        assert run("--write-lock", *options) == 0, run.text + run.said
        found.append(run.lock.read_bytes())
    assert found[0] == found[1] == found[2]
    assert "lock: hubpub.lock is as it was: 4 entrypoints" in run.said
    text = found[0].decode()
    assert "Signature" not in text
    assert "cdn" not in text
    held_now = json.loads(text)
    assert held_now["repository"] == "octo/net"
    assert list(held_now["entrypoints"]) == ["a", "b", "c", "d"]
    assert held_now["entrypoints"]["a"]["pretrained"] == [
        {
            "filename": "a.pth",
            "sha256": hashlib.sha256(OLD).hexdigest(),
            "size": len(OLD),
            "format": "zip",
            "urls": [http_server.url("/a.pth?raw=1")],
            "path": None,
        }
    ]
    assert held_now["entrypoints"]["d"]["default"][0]["path"] == held
    assert [path.name for path in run.folder.iterdir()] == ["hubpub.lock"]


def test_entrypoints_that_come_go_and_are_skipped_are_named(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    http_server.serve({"/net.pth": OLD})
    url = http_server.url("/net.pth")
    published = repository({
        "hubconf.py": HEAD + loading("net", url) + loading("old", url) + loading("rests", url),
    })  # fmt: skip
    assert run("--write-lock") == 0, run.text + run.said

    skip = (
        '[tool.hubpub.verify.entrypoints.rests]\nskip = {reason = "moving", until = 2099-01-01}\n'
    )
    published.commit({
        "hubconf.py": HEAD + loading("net", url) + loading("new", url) + loading("rests", url),
        "pyproject.toml": skip,
    })  # fmt: skip
    published.git("tag", "--force", "v1.0")
    assert run("--locked") == 1
    rows = [(row["entrypoint"], row["what"], row["locked"], row["found"])
            for row in run.report["lock"]["differences"]]  # fmt: skip
    assert rows == [("new", "entrypoint", None, "present"), ("old", "entrypoint", "present", None)]
    assert run.report["lock"]["not_compared"] == [
        {"entrypoint": "rests", "case": None, "reason": "skipped: moving (until 2099-01-01)"}
    ]
    assert run.names() == ["locked", "locked", "not-compared"]
    assert run.weights("new") == ("fail", "not as hubpub.lock has it: the entrypoint: entrypoint")
    assert run.weights("net") == ("skipped", "no checkpoint used")
    for text in (run.text, run.markdown, run.rendered("html")):
        assert "moving" in text
    assert "not compared, skipped: moving (until 2099-01-01): rests" in run.text

    # Written again, the lock no longer holds what was skipped, and says so.
    assert run("--write-lock") == 0, run.text + run.said
    assert "lock: hubpub.lock is written anew: 2 entrypoints" in run.said
    assert "lock: not in it: rests: moving (until 2099-01-01)" in run.said
    assert list(json.loads(run.lock.read_text())["entrypoints"]) == ["net", "new"]


def test_a_run_that_fails_writes_nothing_and_says_why(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    http_server.serve({"/net.pth": OLD})
    broken = '\n\ndef broken():\n    "x"\n    raise RuntimeError("no weights today")\n'
    published = repository({"hubconf.py": HEAD + loading("net", http_server.url("/net.pth"))})
    assert run("--write-lock") == 0, run.text + run.said
    before = run.lock.read_bytes()
    published.commit({"hubconf.py": HEAD + broken})
    published.git("tag", "--force", "v1.0")
    assert run("--write-lock") == 1
    assert "lock: hubpub.lock was not written: only a run that passes is locked" in run.said
    assert "no weights today" in run.said
    assert run.lock.read_bytes() == before
    other = run.folder / "other.lock"
    assert run("--write-lock", "--lock", str(other)) == 1
    assert not other.exists()


def test_what_is_dropped_after_loading_is_locked(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    """Weights that are read from the network into memory leave no file."""
    url = http_server.url("/net.pth")
    entry = f'''

def net():
    """Leaves nothing behind."""
    import io, urllib.request
    model = torch.nn.Linear(3, 2)
    data = urllib.request.urlopen({url!r}).read()
    model.load_state_dict(torch.load(io.BytesIO(data), weights_only=True))
    return model
'''
    repository({"hubconf.py": HEAD + entry})
    http_server.serve({"/net.pth": OLD})
    assert run("--write-lock") == 0, run.text + run.said
    http_server.serve({"/net.pth": NEW})
    assert run("--locked") == 1
    (row,) = run.report["lock"]["differences"]
    assert (row["file"], row["what"]) == ("net.pth", "sha256")
    assert run.weights("net")[0] == "fail"


def test_a_local_path_is_held_against_the_lock_of_its_repository(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    http_server.serve({"/net.pth": OLD})
    published = repository({"hubconf.py": HEAD + loading("net", http_server.url("/net.pth"))})
    here = str(published.path)
    assert run("--write-lock", target=here) == 0, run.text + run.said
    assert json.loads(run.lock.read_text())["repository"] is None
    assert str(published.path.parent) not in run.lock.read_text()
    assert run("--locked") == 0, run.text
    assert run("--write-lock") == 0, run.text
    assert run("--write-lock", target=here) == 0, run.text
    assert json.loads(run.lock.read_text())["repository"] == "octo/net"
    assert run("--locked", target=here) == 0, run.text


BAD_NAME = "\x1b]0;x\x07\u202e::error <script>alert(1)</script> |`[a](b) ##[error].pth"
BAD_URL = "/x;::set-output%20name=a/<img src=x>`|[b](javascript:c)`/##[error]\u202e/net.pth"


def test_hostile_names_and_urls_are_words_in_every_renderer(
    repository: MakeRepository, run: Locked, http_server: Server
) -> None:
    name = BAD_NAME.replace("/", "_")
    target = "/x;::set-output/<img>`|[b](javascript:c)`/net.pth"
    entries = in_tree("held", name) + loading("net", http_server.url(target))
    published = repository({"hubconf.py": HEAD + entries, name: OLD})
    http_server.serve({target: OLD})
    assert run("--write-lock") == 0, run.text + run.said
    text = run.lock.read_text()
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|##\[", text)
    held = json.loads(text)["entrypoints"]
    assert held["held"]["default"][0]["filename"] == name
    assert held["net"]["pretrained"][0]["urls"] == [http_server.url(target)]

    moved = target.replace("net.pth", "moved/net.pth")
    entries = in_tree("held", name) + loading("net", http_server.url(moved))
    published.commit({"hubconf.py": HEAD + entries, name: NEW})
    published.git("tag", "--force", "v1.0")
    http_server.serve({moved: NEW})
    # And the lock is from somebody who would like to be read by a terminal, too.
    document = json.loads(text)
    document["entrypoints"][BAD_NAME] = {BAD_URL: []}
    run.lock.write_text(json.dumps(document))
    assert run("--locked") == 1
    assert [row["what"] for row in run.report["lock"]["differences"]] == [
        "entrypoint", "sha256", "sha256", "urls",
    ]  # fmt: skip
    for form in ("text", "json", "markdown", "html", "github"):
        shown = run.rendered(form)
        found = {unicodedata.category(char) for char in set(shown) - {"\n", "\t"}}
        assert not found & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}, form
        assert "##[" not in shown
        if form != "github":
            assert not any(line.strip().startswith("::") for line in shown.splitlines())
    for shown in (run.rendered("html"), run.rendered("markdown")):
        assert not re.search(r"(?<!\\)<(script|img)", shown)
    assert "[b](" not in run.markdown
    for shown in (run.text, run.said):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "moved" in run.text


def test_the_lock_on_the_page_is_the_example_s(hubpub: RunHubpub, tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```json\n(.*?)^```$", (ROOT / "docs/verify.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (shown,) = [block for block in blocks if '"entrypoints"' in block]
    with demo.released() as address:
        demo.publish(tmp_path / "mirror" / "demo" / "tiny", f"http://{address}")
        done = hubpub(
            "verify", "demo/tiny:v1.0", "--allow-host", address, "--write-lock", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
    made = (tmp_path / "hubpub.lock").read_text()
    assert made.replace(f"http://{address}", demo.RELEASE) == shown
