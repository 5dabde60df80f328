"""The card of a model: the Markdown page that a collection shows of it, written and checked.

Two formats: ``hub``, as https://github.com/pytorch/hub asks for it, and ``huggingface``, the
README.md of a model on Hugging Face. What each asks for is data (``rules.json``), with the commit
in which it was read.

:func:`hubpub.card.filling.fill` makes the values of a card from a verified report,
:func:`hubpub.card.rendering.render` the text, :func:`hubpub.card.judging.judge` the findings.
"""
