"""Text to numbers and back. Replace it with yours."""

from functools import partial
from pathlib import Path

import torch


class Tokenizer:
    """Gives the bytes of a text in UTF-8: 0 to 255, and one number more that fills up.

    A model and its tokenizer are published together, so that no user has to guess which one the
    weights were trained with.
    """

    padding = 256
    vocabulary = 257

    def __call__(self, texts):
        """Numbers for several texts, as the network takes them.

        Args:
            texts (list[str]): at least one text.

        Returns:
            torch.Tensor: int64 of shape (N, length of the longest in bytes, at least 1).
        """
        rows = [text.encode("utf-8") for text in texts]
        numbers = torch.full((len(rows), max(1, *map(len, rows))), self.padding)
        for row, data in zip(numbers, rows):
            row[: len(data)] = torch.tensor(list(data), dtype=torch.int64)
        return numbers

    def decode(self, numbers):
        """The texts again.

        Args:
            numbers (torch.Tensor): int64 of shape (N, length), as a call gives them.

        Returns:
            list[str]: N texts; bytes that are no UTF-8 become U+FFFD.
        """
        rows = (bytes(number for number in row if number != self.padding) for row in numbers.tolist())
        return [row.decode("utf-8", errors="replace") for row in rows]

    def __reduce__(self):
        # How it is pickled for the workers of a DataLoader. Where they are spawned, they do not find
        # this module: the loader has taken the repository off sys.path. So they load it once more.
        repository = str(Path(__file__).resolve().parents[1])
        return partial(torch.hub.load, repository, "{{ entrypoint }}_tokenizer", source="local"), ()
