"""What there is to choose from: the kinds of repositories, and the pieces around them."""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "classifier": "a network whose trained weights lie at a URL, such as a release's",
    "in-tree": "a network whose trained weights are a file of the repository",
    "family": "several sizes of one network",
    "reexport": "functions of the package, offered as they are",
    "helpers": "a network with its preprocessing beside it",
    "torchscript": "a saved TorchScript file",
    "custom": "a network for the checkpoints of its users",
}
"""Name -> one line, the default first."""

PIECES: Mapping[str, str] = {
    "readme": "a README with a pinned example",
    "licence": "a licence",
    "citation": "CITATION.cff",
    "test": "a test that loads every entrypoint",
    "precommit": "a configuration of pre-commit",
    "workflow": "a GitHub workflow that checks pull requests and releases",
    "settings": "a [tool.hubpub] table",
}
"""Name -> one line."""
