"""The catalogue: what hostile code tries, row by row, and what its victim lost: nothing.

The numbers are those of the catalogue that the sandbox was designed against. Each row runs as
whoever runs the tests; ``make test`` does so as root and as an ordinary user.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rows_files
import rows_git
import rows_left
import rows_limits
import rows_network
import rows_processes
import rows_reports
from victim import Row, Victim

from publishing import Mirror, Server

MODULES = (rows_files, rows_git, rows_left, rows_limits, rows_network, rows_processes, rows_reports)
ROWS = sorted((row for module in MODULES for row in module.ROWS), key=lambda row: row.number)


@pytest.fixture
def victim(tmp_path: Path, mirror: Mirror, http_server: Server) -> Iterator[Victim]:
    made = Victim(tmp_path, mirror, http_server)
    yield made
    made.close()


def test_every_number_of_the_catalogue_has_a_row() -> None:
    assert [row.number for row in ROWS] == list(range(1, 37))


def _parameter(row: Row) -> object:
    gpu = shutil.which("nvidia-smi") is None
    marks = [pytest.mark.sandbox]
    if row.number == 36:
        reason = "there is no NVIDIA GPU"
        marks = [pytest.mark.gpu, pytest.mark.skipif(gpu, reason=reason)]
    return pytest.param(row, id=f"{row.number} {row.tries}", marks=marks)


@pytest.mark.parametrize("row", [_parameter(row) for row in ROWS])
def test_nothing_is_lost(row: Row, victim: Victim, record_property: object) -> None:
    outcome = row.act(victim)
    assert victim.harm() == []
    record_property("outcome", outcome)  # type: ignore[operator]


def _connects(family: socket.AddressFamily, kind: socket.SocketKind, place: object) -> None:
    with socket.socket(family, kind) as one:
        one.connect(place)  # type: ignore[arg-type]
        one.send(b"x")


HARM: dict[str, tuple[Callable[[Victim], object], str]] = {
    "a file of the home is changed": (
        lambda victim: (victim.home / ".netrc").write_text("x"),
        ".netrc was",
    ),
    "a mode is changed": (lambda victim: (victim.home / ".ssh").chmod(0o777), ".ssh was"),
    "a file is gone": (lambda victim: (victim.caller / "notes.txt").unlink(), "is None"),
    "a file is new": (lambda victim: (victim.caller / "x").touch(), "x was None"),
    "the report of before is another": (
        lambda victim: (victim.caller / "report.json").write_text("{}"),
        "report.json was",
    ),
    "TCP": (
        lambda victim: _connects(
            socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", victim.at["tcp"])
        ),
        "the tcp socket",
    ),
    "UDP": (
        lambda victim: _connects(
            socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", victim.at["udp"])
        ),
        "the udp socket",
    ),
    "a socket in a file": (
        lambda victim: _connects(socket.AF_UNIX, socket.SOCK_STREAM, victim.path),
        "the unix socket",
    ),
    "an abstract socket": (
        lambda victim: _connects(socket.AF_UNIX, socket.SOCK_STREAM, victim.hidden),
        "the abstract socket",
    ),
    "something is left": (lambda victim: (victim.temporary / "x").touch(), "left behind"),
    "the secret is shown": (lambda victim: victim.shown(victim.canary), "the secret was shown"),
    "a terminal is spoken to": (lambda victim: victim.shown("\x1b[2J"), "acts on a terminal"),
    "writing is turned": (lambda victim: victim.shown("\u202e"), "acts on a terminal"),
}


@pytest.mark.parametrize("what", list(HARM))
def test_harm_is_seen(what: str, victim: Victim) -> None:
    """Else no row says anything."""
    act, said = HARM[what]
    assert victim.harm() == []
    act(victim)
    (harm,) = {line[:20]: line for line in victim.harm()}.values()
    assert said in harm


@pytest.mark.parametrize("known_by", ["its name", "its words"])
def test_a_process_that_outlives_its_job_is_seen(known_by: str, victim: Victim) -> None:
    named = f"import ctypes; ctypes.CDLL(None).prctl(15, b'{victim.token}', 0, 0, 0); "
    text = (
        f"{named if known_by == 'its name' else ''}print(flush=True); import time; time.sleep(60)"
    )
    words = [sys.executable, "-c", text, *([victim.token] if known_by == "its words" else [])]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        assert [line for line in victim.harm() if line.startswith("still runs")]
        running.kill()
    assert victim.harm() == []
