"""What there is to choose from: kinds of repositories, pieces around them, licences."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "in-tree": "a network whose weights are a small file of the repository",
        "classifier": "a network whose weights are downloaded from a release",
        "family": "several sizes of one network, from one table",
        "reexport": "functions of a package, offered as they are",
        "helpers": "a network for text, and the tokenizer that goes with it",
        "torchscript": "a TorchScript archive, without its Python code",
        "custom": "a network, and the same network with a user's own checkpoint",
    }
)
"""Name, which is a folder of ``templates/kinds``, to one line. The default comes first: it
can be verified before anything is uploaded."""

PIECES: Mapping[str, str] = MappingProxyType(
    {
        "readme": "README.md, with an example that can be pasted",
        "licence": "LICENSE",
        "citation": "CITATION.cff, how to cite the repository",
        "test": "tests/, which load every entrypoint as a user does",
        "precommit": ".pre-commit-config.yaml, which checks before each commit",
        "workflow": ".github/workflows/hubpub.yml, which checks pull requests and makes releases",
        "pull-request": ".github/workflows/hubpub-check.yml, which checks pull requests",
        "candidate": ".github/workflows/hubpub-release.yml, which proves a commit, then tags it",
        "shards": ".github/workflows/hubpub-shards.yml, which proves a tag on several machines",
        "nightly": ".github/workflows/hubpub-nightly.yml, which proves releases again each night",
        "settings": "hubpub.toml, the settings of hubpub",
    }
)
"""Name to one line. Each but the tests, which go with their kind, is a folder of
``templates/around``."""

LICENCES: Mapping[str, str] = MappingProxyType(
    {
        "BSD-3-Clause": "do what you like, name the authors, do not advertise with them",
        "MIT": "do what you like, name the authors",
        "Apache-2.0": "do what you like, name the authors, say what you changed; grants patents",
    }
)
"""SPDX identifier, which is a file of ``templates/around/licence``, to one line."""
