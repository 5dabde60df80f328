"""The real torch.hub as an oracle: repositories of ours, one process each, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from publishing import clean_environment, write_files

_PROGRAM = """
import json, os, sys, warnings
import torch, torch.hub
warnings.simplefilter("ignore")
torch.set_num_threads(1)
found = {{}}
for path in sys.argv[1:]:
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        torch.hub._get_cache_or_reload = lambda *args, **kwargs: path
        try:
{attempt}
        except BaseException as error:
            answer = {raised}
        with os.fdopen(into, "w") as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as file:
        found[path] = json.load(file)
    os.waitpid(pid, 0)
json.dump(found, sys.stdout)
"""


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write a repository below ``root``, and return that."""
    root.mkdir(parents=True, exist_ok=True)
    write_files(root, files)
    return root


def answers(
    base: Path, cases: Mapping[str, Mapping[str, str]], attempt: str, raised: str
) -> dict[str, Any]:
    """Case -> ``answer``, which ``attempt`` sets, or ``raised`` where it raises ``error``.

    The cases are run by the real loader, so they must be harmless and need torch alone.
    """
    roots = {name: write(base / str(index), cases[name]) for index, name in enumerate(cases)}
    empty = base / "empty"
    empty.mkdir()
    body = textwrap.indent(textwrap.dedent(attempt).strip(), " " * 12)
    program = _PROGRAM.format(attempt=body, raised=raised)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, roots.values())],
        capture_output=True,
        text=True,
        check=True,
        cwd=empty,
        env=clean_environment(empty),
        timeout=120,
    )
    found = json.loads(done.stdout[done.stdout.index('{"') :])
    return {name: found[str(root)] for name, root in roots.items()}
