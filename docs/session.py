"""Draw docs/session.svg, the README's picture, from a real run of the demo: ``make picture``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDTH = 132


def main() -> int:
    """Run the demo in colour, and write what it showed as a picture; the demo's exit code."""
    demo = subprocess.run(
        [sys.executable, str(HERE.parent / "examples" / "demo.py")],
        env=os.environ | {"FORCE_COLOR": "1", "NO_COLOR": "", "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    for line in demo.stdout.splitlines():
        # A no-break space: renderers of SVG drop leading plain ones.
        console.print(Text.from_ansi(line.replace(" ", "\N{NO-BREAK SPACE}")), soft_wrap=True)
    console.save_svg(str(HERE / "session.svg"), title="make demo")
    return demo.returncode


if __name__ == "__main__":
    sys.exit(main())
