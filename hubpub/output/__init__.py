"""Saying: one renderer per file; data in, text out. Nothing here prints, reads or judges."""
