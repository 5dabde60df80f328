"""Make both checkpoints: count the characters of this repository's LICENSE.

    python train.py FOLDER

The unigram goes into the tree, the bigram into FOLDER, from where it is attached to the release.
Each file name ends with the first eight digits of the file's SHA-256, which ``check_hash=True``
compares. Another version of torch may pack the same numbers into a different file.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import torch

from tinytext.network import Bigram, Unigram
from tinytext.tokenizer import ALPHABET, CharacterTokenizer

HERE = Path(__file__).resolve().parent


def train() -> tuple[Unigram, Bigram]:
    """Both models, fitted exactly: counting is all the training they need."""
    numbers = CharacterTokenizer().encode((HERE / "LICENSE").read_text(encoding="utf-8"))
    # Start from one of each, so that nothing is impossible.
    pairs = torch.ones(len(ALPHABET), len(ALPHABET), dtype=torch.float64)
    pairs.index_put_(
        (numbers[:-1], numbers[1:]), torch.ones(len(numbers) - 1).double(), accumulate=True
    )
    unigram, bigram = Unigram(), Bigram()
    singles = pairs.sum(dim=0)
    unigram.load_state_dict({"frequencies": (singles / singles.sum()).log().float()})
    bigram.load_state_dict({"table.weight": (pairs / pairs.sum(dim=1, keepdim=True)).log().float()})
    return unigram, bigram


def save(model: torch.nn.Module, folder: Path, name: str) -> Path:
    """Save the weights of ``model`` under a stamped name, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"{name}.pth"
    torch.save(model.state_dict(), plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    return plain.rename(folder / f"{name}-{digest[:8]}.pth")


if __name__ == "__main__":
    unigram, bigram = train()
    print(save(unigram, HERE / "tinytext" / "weights", "unigram"))
    print(save(bigram, Path(sys.argv[1]), "bigram"))
