"""Draw docs/report.png, the page of a report, from a real run of the example: ``make picture``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "examples"), str(HERE.parent / "tests")]

import demo  # noqa: E402
from browsing import chromium, opened  # noqa: E402
from hubpub.output import reports  # noqa: E402

WIDTH, HEIGHT = 1000, 940


def main() -> int:
    """Verify the example and take a picture of the top of its page; verify's exit code."""
    with tempfile.TemporaryDirectory(prefix="hubpub-") as name, demo.released() as address:
        folder = Path(name)
        demo.publish(folder / "demo" / "tiny", f"http://{address}")
        environment = os.environ | {"HUBPUB_GITHUB_URL": folder.as_uri()}
        report, page = folder / "report.json", folder / "report.html"
        verify = ["verify", "demo/tiny:v1.0", "--device", "cpu", "--allow-host", address]
        code = demo.hubpub([*verify, "--output-format", f"json:{report}"], environment)
        text = reports.render("html", json.loads(report.read_text(encoding="utf-8")))
        page.write_text(text, encoding="utf-8")
        with chromium() as browser, opened(browser, page, width=WIDTH) as watched:
            watched.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            watched.page.screenshot(path=HERE / "report.png")
    return code


if __name__ == "__main__":
    sys.exit(main())
