"""Text to numbers and back, one number a character."""

from __future__ import annotations

import torch

ALPHABET = " abcdefghijklmnopqrstuvwxyz?"
"""The symbols, in the order of their numbers. The last one stands for every other character."""


class CharacterTokenizer:
    """Turns text into the numbers that the models take. Capitals count as small letters."""

    def __init__(self) -> None:
        self.numbers = {symbol: number for number, symbol in enumerate(ALPHABET)}

    def encode(self, text: str) -> torch.Tensor:
        """The numbers of ``text``: int64, shape (length,). All white space counts as a space."""
        symbols = [" " if symbol.isspace() else symbol for symbol in text.lower()]
        other = len(ALPHABET) - 1
        return torch.tensor([self.numbers.get(s, other) for s in symbols], dtype=torch.int64)

    def decode(self, numbers: torch.Tensor) -> str:
        """The text of ``numbers``, shape (length,)."""
        return "".join(ALPHABET[number] for number in numbers.tolist())
