"""The network. Replace it with yours.

This one is made of torch.nn's own classes, so that it can be sent to other processes: those that
`spawn` starts find no class of a repository that torch.hub loaded, because the loader takes the
repository off sys.path again. In every other way a subclass of torch.nn.Module is as good.
"""

from collections import OrderedDict

from torch import nn


def build(vocabulary, padding, classes=2):
    """The mean of the embeddings of a text's numbers, and a linear layer.

    Args:
        vocabulary (int): how many different numbers the tokenizer gives.
        padding (int): the number that fills up short texts; it is left out of the mean.
        classes (int): how many classes the last layer tells apart.

    Returns:
        torch.nn.Module: takes numbers (N, length) and gives logits (N, classes).
    """
    embedding = nn.EmbeddingBag(vocabulary, 8, mode="mean", padding_idx=padding)
    # The names are those of the checkpoint's entries: "embedding.weight", "classifier.bias".
    return nn.Sequential(OrderedDict(embedding=embedding, classifier=nn.Linear(8, classes)))
