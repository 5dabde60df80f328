"""The models: the logarithm of how likely each symbol is to come next."""

from __future__ import annotations

import torch
from torch import nn

from tinytext.tokenizer import ALPHABET


class Unigram(nn.Module):
    """Every symbol as likely as it is frequent, whatever came before."""

    def __init__(self) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.zeros(len(ALPHABET)))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Logits, float32 of shape (N, length, 28), for numbers, int64 of shape (N, length)."""
        return self.frequencies.expand(*numbers.shape, -1)


class Bigram(nn.Module):
    """Each symbol as likely as it is after the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(len(ALPHABET), len(ALPHABET))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Logits, float32 of shape (N, length, 28), for numbers, int64 of shape (N, length)."""
        logits: torch.Tensor = self.table(numbers)
        return logits
