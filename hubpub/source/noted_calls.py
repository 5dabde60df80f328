"""Files that code opens, and versions that it asks for: facts from the calls that are noted."""

from __future__ import annotations

from collections.abc import Mapping

from hubpub.source import facts, reached, reading
from hubpub.source.facts_published import Opened, VersionCall
from hubpub.source.interpret import filesystem, noted
from hubpub.source.interpret.machine import CallEvent
from hubpub.source.interpret.values import Items, Value

MAX_OPENED = 1000


def opened(outcome: reading.Outcome) -> tuple[Opened, ...]:
    """The files of the repository that are opened to be read, once a place."""
    found: dict[tuple[str, facts.Place], Opened] = {}
    for name, events in outcome.phases():
        for event in events:
            if not isinstance(event, CallEvent) or event.function not in noted.OPENING:
                continue
            names = () if name is None else (name,)
            for path in _paths(event):
                place = reading.place(event.place)
                when = "import" if name is None else "call"
                one = Opened(path, place, when, event.guarded, event.conditional, names)
                if len(found) < MAX_OPENED:
                    found.setdefault((path, place), one)
    return tuple(found.values())


def _paths(event: CallEvent) -> list[str]:
    """The paths inside the repository that a call opens; none where it writes, or may."""
    arguments = dict(event.arguments)
    parameter, *others = noted.OPENING[event.function]
    mode = _texts(arguments.get("mode")) if "mode" in others else []
    if any(set(text) & set("wax+") for text in mode) or ("mode" in arguments and not mode):
        return []
    given = reached.argument(arguments[parameter], None) if parameter in arguments else None
    if given is None or not given.known:
        return []
    texts = [text for text in given.values if isinstance(text, str)]
    return [path for text in texts if (path := filesystem.inside(text))]


def _texts(value: Value | None) -> list[str]:
    if value is None:
        return []
    return [text for text in reached.argument(value, None).values if isinstance(text, str)]


def version_calls(outcome: reading.Outcome) -> tuple[VersionCall, ...]:
    """The calls, while hubconf is imported, that raise where there is no version to be had."""
    found: dict[facts.Place, VersionCall] = {}
    for event in outcome.imported:
        if isinstance(event, CallEvent) and not event.guarded and not event.conditional:
            kind, name = _asks(event, dict(event.arguments))
            place = reading.place(event.place)
            if kind:
                found.setdefault(place, VersionCall(kind, event.function, name, place))
    return tuple(found.values())


def _asks(event: CallEvent, arguments: Mapping[str | int, Value]) -> tuple[str, str]:
    """The kind of a call that asks for a version, and the distribution; both may be empty."""
    function = event.function
    if function == "setuptools_scm.get_version":
        return ("", "") if "fallback_version" in arguments else ("git", "")
    if function in noted.ASKING:
        parameter = noted.ASKING[function][0]
        names = _texts(arguments.get(parameter))
        return ("metadata", names[0]) if len(names) == 1 else ("", "")
    if function not in noted.RUNNING or "args" not in arguments:
        return "", ""
    if function == "subprocess.run" and "check" not in arguments:
        return "", ""
    program = arguments["args"]
    first = program.items[0] if isinstance(program, Items) and program.items else program
    words = [text.split() for text in _texts(first)]
    return ("git", "") if words and all(word[:1] == ["git"] for word in words) else ("", "")
