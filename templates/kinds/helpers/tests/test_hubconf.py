"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

import pickle
from pathlib import Path

import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])
TEXTS = ["one text", "", "räksmörgås"]


def load(entrypoint, **arguments):
    """What a user does, with this folder in the place of the release."""
    return torch.hub.load(REPOSITORY, entrypoint, source="local", **arguments)


def test_the_model_takes_what_the_tokenizer_gives():
    numbers = load("{{ entrypoint }}_tokenizer")(TEXTS)
    model = load("{{ entrypoint }}", pretrained=True)
    assert not model.training
    with torch.no_grad():
        logits = model(numbers)
        assert logits.shape == (3, 2)
        assert logits.isfinite().all()
        # What fills up a text says nothing.
        alone = model(load("{{ entrypoint }}_tokenizer")(TEXTS[:1]))
    torch.testing.assert_close(alone[0], logits[0])


def test_the_tokenizer_gives_the_texts_back():
    tokenizer = load("{{ entrypoint }}_tokenizer")
    assert tokenizer.decode(tokenizer(TEXTS)) == TEXTS


def test_the_tokenizer_can_be_sent_to_a_worker():
    tokenizer = pickle.loads(pickle.dumps(load("{{ entrypoint }}_tokenizer")))
    assert tokenizer.decode(tokenizer(TEXTS)) == TEXTS


def test_{{ entrypoint }}_has_the_same_weights_each_time():
    one, two = (load("{{ entrypoint }}", pretrained=True).state_dict() for _ in range(2))
    for name, tensor in one.items():
        assert torch.equal(two[name], tensor), name
