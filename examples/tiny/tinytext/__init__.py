"""Two character models that fit in a few kilobytes, and the tokenizer they share."""
