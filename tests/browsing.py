"""A real Chromium, which watches what a page does: requests, complaints, dialogs, scripts."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

PHONE, DESKTOP = 320, 1200
"""Widths of a window (CSS pixels)."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that is on the PATH, else playwright's own; the error says what to run."""
    known = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    found = next(filter(None, known), None)
    with sync_playwright() as play:
        path = found or play.chromium.executable_path
        assert Path(path).is_file(), "no Chromium to test the page with: run .ci/browser PYTHON"
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = play.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A file, opened; ``seen`` is what it did that a page of ours never does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: list[str] = []
        self.address = ""
        page.on("request", self._request)
        page.on("console", lambda message: self.seen.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("popup", lambda _: self.seen.append("popup"))
        page.on("dialog", self._dialog)

    def _request(self, request: Any) -> None:
        if request.url.partition("#")[0] != self.address:
            self.seen.append(f"request: {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def scrolls_sideways(self) -> bool:
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )


@contextlib.contextmanager
def opened(
    browser: Browser,
    file: Path,
    *,
    width: int = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Watched]:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    try:
        watched = Watched(context.new_page())
        watched.address = file.as_uri()
        watched.page.goto(watched.address)
        yield watched
    finally:
        context.close()
