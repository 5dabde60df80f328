"""What ``torch.hub.load("demo/tiny:v1.0", ...)`` offers: two models and their tokenizer."""

from pathlib import Path as _Path

import torch

from tinytext.network import Bigram as _Bigram
from tinytext.network import Unigram as _Unigram
from tinytext.tokenizer import CharacterTokenizer as _CharacterTokenizer

dependencies = ["torch"]

_BIGRAM = "https://github.com/demo/tiny/releases/download/v1.0/bigram-b62d4868.pth"
_UNIGRAM = _Path(__file__).parent / "tinytext" / "weights" / "unigram-08c80a78.pth"


def bigram(pretrained: bool = False) -> torch.nn.Module:
    """Predicts each character from the one before it.

    Args:
        pretrained (bool): download weights fitted to the text of the BSD licence (5 kB). Otherwise
            the weights are random.

    Returns:
        torch.nn.Module: takes numbers from the tokenizer, int64 of shape (N, length), and gives
        the logits of the next ones, float32 of shape (N, length, 28).

    Example:
        >>> model = torch.hub.load("demo/tiny:v1.0", "bigram", pretrained=True, trust_repo=True)
    """
    model = _Bigram()
    if pretrained:
        state = torch.hub.load_state_dict_from_url(
            _BIGRAM, map_location="cpu", check_hash=True, weights_only=True
        )
        model.load_state_dict(state)
    return model.eval()


def unigram() -> torch.nn.Module:
    """Predicts each character from how frequent it is. Its weights come with the repository.

    Returns:
        torch.nn.Module: takes numbers from the tokenizer, int64 of shape (N, length), and gives
        the logits of the next ones, float32 of shape (N, length, 28).

    Example:
        >>> model = torch.hub.load("demo/tiny:v1.0", "unigram", trust_repo=True)
    """
    model = _Unigram()
    model.load_state_dict(torch.load(_UNIGRAM, map_location="cpu", weights_only=True))
    return model.eval()


def tokenizer() -> _CharacterTokenizer:
    """Turns text into the numbers that both models take, and back.

    Returns:
        tinytext.tokenizer.CharacterTokenizer: ``encode(text)`` gives int64 numbers of shape
        (length,), ``decode(numbers)`` the text, in small letters.

    Example:
        >>> tokenizer = torch.hub.load("demo/tiny:v1.0", "tokenizer", trust_repo=True)
        >>> tokenizer.decode(tokenizer.encode("Hello, world"))
        'hello? world'
    """
    return _CharacterTokenizer()
