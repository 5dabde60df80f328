"""What ``hubpub verify`` calls the tokenizer with: hubpub.toml names this file."""


def inputs():
    """The arguments: one list of texts, which are 8 and 13 bytes long in UTF-8."""
    return (["one text", "räksmörgås"],)
