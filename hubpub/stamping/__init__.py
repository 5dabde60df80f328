"""Stamping: a checkpoint gets the name that ``check_hash=True`` reads, and its code follows."""
