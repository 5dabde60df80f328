"""Python files read with ``ast``: the modules that hubconf.py reaches, which are never rewritten.

Lowers into :mod:`hubpub.source.tree`. Function bodies are lowered when they are first looked into.
"""

from __future__ import annotations

import ast
import warnings

from hubpub.diagnostic import Span
from hubpub.source import abstract, tree
from hubpub.source.text import Text, Unreadable


def parse(text: Text, *, compiled: bool = False) -> ast.Module | Unreadable:
    """Python's own syntax tree of ``text``, or why and where there is none.

    ``compiled`` also asks the compiler, which alone refuses ``return`` outside a function and the
    like. Nothing is executed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = ast.parse(text.text)
            if compiled:
                compile(module, "<module>", "exec", dont_inherit=True, optimize=0)
        except SyntaxError as error:
            return _syntax_error(error, text)
        except (RecursionError, MemoryError):
            return Unreadable("the code is nested too deeply for Python to parse")
        except (ValueError, OverflowError, UnicodeError) as error:
            return Unreadable(str(error))
    return module


def _syntax_error(error: SyntaxError, text: Text) -> Unreadable:
    line = min(max(error.lineno or 1, 1), len(text.starts))
    width = len(text.line(line))
    column = min(max(error.offset or 1, 1), width + 1)
    end = column
    if error.end_lineno == error.lineno and error.end_offset is not None:
        end = min(max(error.end_offset, column), width + 1)
    return Unreadable(error.msg or "invalid syntax", Span(line, column, line, end))


def read(text: Text) -> tree.Module | Unreadable:
    """``text`` as a tree, or why there is none."""
    module = parse(text)
    return module if isinstance(module, Unreadable) else abstract.lower(module, text)
