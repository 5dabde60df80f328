"""Imports that the published tree cannot satisfy, and why."""

from __future__ import annotations

from hubpub.source.facts import Import, Repo


def absent(repo: Repo) -> tuple[tuple[Import, str], ...]:
    return ()
