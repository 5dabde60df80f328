"""Rows about the report: forged, replaced, flooded, and made to act on who reads it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from victim import Row, Victim

from proving import FORGE

_STDOUT = """
def prints():
    "A result as one could look, on every stream, and then an end without one."
    text = json.dumps(
        {"ok": True, "nonce": "0" * 32, "status": "pass", "exit": 0, "entrypoints": []}
    )
    for line in (text, "octo/net:v1.0: proven", "::set-output name=status::pass", "PASS"):
        os.write(1, (line + "\\n").encode())
        os.write(2, (line + "\\n").encode())
    os._exit(0)
"""


def _stdout(victim: Victim) -> str:
    victim.publish(_STDOUT)
    run = victim.verify()
    assert (run.axis("prints")[0], run.code, run.report["status"]) == ("fail", 1, "fail")
    assert not [
        line for line in run.text.splitlines() if line.startswith(("::", "PASS", "octo/net:v1.0: "))
    ]
    return run.axis("prints")[1]


_RESULTS = """
def naive():
    "x"
    os.write(3, b'{"ok": true}')
    os._exit(0)


def guessed():
    "x"
    os.write(3, json.dumps({"ok": True, "nonce": "0" * 32, "parameters": 7}).encode())
    os._exit(0)


def twice():
    "Its own result, and then that of the worker."
    os.write(3, json.dumps({"ok": True, "nonce": _job()["nonce"]}).encode())
    raise RuntimeError("no model")


def dies():
    "A result that is right, and an end that is not."
    os.write(3, json.dumps({"ok": True, "nonce": _job()["nonce"]}).encode())
    os._exit(7)


def monkey():
    "Makes the worker say what it wants."
    json.dumps = lambda *args, **kwargs: '{"ok": true}'
    raise RuntimeError("no model")


def forged():
    "Nobody can tell: it stands in the report as what the code says of itself."
    _claim(
        '{"ok": true, "nonce": "NONCE", "type": "ResNet", "module": "x", "parameters": 123456789}'
    )


def facts():
    "What the parent measures is not the code's to say."
    _claim(
        '{"ok": true, "nonce": "NONCE", "exit": 9, "wall_s": 0, "peak_bytes": 1, "network": [],'
        '"checkpoints": [{"path": "x.pth"}], "sha256": "0", "commit": "0", "status": "proven",'
        '"axes": {"weights": "pass"}}'
    )
"""


def _results(victim: Victim) -> str:
    victim.publish(FORGE + _RESULTS)
    run = victim.verify()
    names = [item["name"] for item in run.report["entrypoints"]]
    passed = {name for name in names if run.axis(name)[0] == "pass"}
    assert (len(names), passed) == (7, {"forged", "facts"})
    facts = run.facts("facts")
    assert (facts["exit"], facts["wall_s"] > 0, facts["peak_bytes"] > 1 << 20) == (0, True, True)
    assert not run.report["checkpoints"]
    assert run.report["commit"] != "0"
    (shown,) = [
        line for line in run.text.splitlines() if "123,456,789" in line or "123456789" in line
    ]
    heading = next(line for line in run.text.splitlines() if "says it is" in line)
    assert shown.find("ResNet") >= heading.find("says it is")
    return "5 fail; 2 stand as claims, beside facts"


_DESCRIPTORS = """
def looks():
    "x"
    found = {}
    for number in range(256):
        try:
            found[str(number)] = stat.filemode(os.fstat(number).st_mode)[0]
        except OSError:
            pass
    for path in (
        AT["caller"] + "/report.json",
        AT["caller"] + "/new.json",
        "/proc/1/fd/1",
        "/proc/1/cwd/report.json",
    ):
        found[path] = _attempt(open, path, "w")
    _tell(found)


def writes():
    "To every descriptor there is."
    for number in range(3, 256):
        try:
            os.write(number, b'{"verified": true}')
        except OSError:
            pass
    return 1


def innocent():
    "x"
    return torch.nn.Linear(1, 1)
"""


def _descriptors(victim: Victim) -> str:
    victim.publish(_DESCRIPTORS)
    run = victim.verify()
    found = run.told("looks")
    opened = {name for name in found if name.isdigit()}
    assert opened == {"0", "1", "2", "3"}
    assert {found[name] for name in found.keys() - opened} <= {"ENOENT", "EACCES"}, found
    assert run.axis("writes")[0] == "fail"
    assert run.axis("innocent") == ("pass", "")
    return "four descriptors, none of them a file; the report of before is as it was"


_EVIL = (
    "\x1b]52;c;eA==\x07\x1b[2J\x9b31m\u202egnp\u2066\u2028::set-output name=a::b\r\n::add-mask::x\n"
    "::error file=a::b\n\n# <img src=x onerror=alert(1)><script>alert(1)</script> "
    "[click](http://evil.example/) | a | b | `x` ![i](http://evil.example/i.png) "
    "</td></tr></table> %0A::stop-commands::t %s {{1234567*7}} {%raw%}"
)
_SHOWS = """
EVIL = json.loads(TEXT)


def _one():
    print(EVIL)
    print(EVIL, file=sys.stderr)
    raise RuntimeError(EVIL)


_one.__doc__ = EVIL
globals()[EVIL] = _one


def typed():
    "x"
    return type(EVIL, (torch.nn.Module,), {"__module__": EVIL})()


def raises():
    "x"
    raise type(EVIL, (Exception,), {})(EVIL)


def lacks():
    "x"
    raise ModuleNotFoundError(EVIL, name=EVIL)


def leaves():
    "x"
    os.makedirs(os.path.join(torch.hub.get_dir(), "checkpoints"))
    for name in (
        EVIL.replace("/", "_")[:80] + ".pth",
        "::set-output name=a::b.pth",
        "<b>[c](d).pth",
    ):
        with open(os.path.join(torch.hub.get_dir(), "checkpoints", name), "w") as file:
            file.write("x")
    return 1


def asks():
    "x"
    import urllib.parse

    with socket.create_connection(("127.0.0.1", 3128), 10) as proxy:
        proxy.sendall(
            b"GET http://evil.example/"
            + EVIL.encode().replace(b" ", b"+")
            + b" HTTP/1.1\\r\\n\\r\\n"
        )
    return 1
"""


class _Page(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _shows(victim: Victim) -> str:
    victim.publish(_SHOWS.replace("TEXT", repr(json.dumps(_EVIL))), {"<img src=x>\x1b.md": _EVIL})
    files = {name: victim.out / f"report.{name}" for name in ("markdown", "html", "github", "text")}
    options = [
        word for name, file in files.items() for word in ("--output-format", f"{name}:{file}")
    ]
    run = victim.verify(*options)
    assert run.code == 1
    pages = {name: file.read_bytes().decode() for name, file in files.items()}
    for name, text in pages.items():
        victim.shown(text)
        lines = [line.strip() for line in text.split("\n")]
        commands = [line for line in lines if line.startswith("::")]
        if name == "github":
            assert commands
            assert all(
                line.startswith(("::error ", "::warning ", "::notice ")) for line in commands
            )
            assert not [line for line in commands if line.startswith("::error file=a::")]
        else:
            assert not commands, (name, commands)
    page = _Page(pages["html"])
    assert not {tag for tag, _ in page.found} & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
    }
    for tag, attributes in page.found:
        assert not [key for key in attributes if key.startswith("on")], (tag, attributes)
        assert "evil.example" not in str(attributes.get("href")), attributes
    assert "8641969" not in pages["html"]
    for written in ("<img", "<script", "[click", "![i"):
        assert not re.search(rf"(?<!\\){re.escape(written)}", pages["markdown"]), written
    return "shown as text in five forms"


ROWS: tuple[Row, ...] = (
    Row(13, "forge a result on stdout", _stdout),
    Row(14, "forge a result where results go", _results),
    Row(15, "write the report", _descriptors),
    Row(30, "act on who reads the report", _shows),
)
