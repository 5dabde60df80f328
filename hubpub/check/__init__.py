"""What ``hubpub check`` does, as functions: load, judge, suppress, and mend."""

from __future__ import annotations

from hubpub.check.fixing import FixResult, fix
from hubpub.check.ignoring import IgnoreResult, add_ignores
from hubpub.check.judging import CheckResult, check, judge
from hubpub.check.selection import is_selected, unknown, with_options

__all__ = [
    "CheckResult", "FixResult", "IgnoreResult", "add_ignores", "check", "fix", "is_selected",
    "judge", "unknown", "with_options",
]  # fmt: skip
