"""What the hosts of a repository's checkpoints, and its own on GitHub, say: ``check --online``.

Questions are asked in parallel, few at once and fewer of one host, again after a while where a host
is busy, and all within a time. What cannot be told is said so, and is no finding.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from hubpub.check.asking import Asking, Reply, UnknownHostError, UntoldError
from hubpub.hosts import parse
from hubpub.rules.addresses import urls
from hubpub.rules.cached import shown
from hubpub.source.facts import Answer, Repo
from hubpub.source.git import newest_last

AT_ONCE = 8
AT_ONE_HOST = 2
"""Questions in flight, in all and of one host."""
MAX_URLS = 500
"""No more are asked for: no publisher has so many, and CI must not be made to knock at doors."""
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_SMALL = 1024
"""A file of fewer bytes is looked into: it may be a pointer of git LFS (bytes)."""
_RANGE = re.compile(r"bytes (?:\d+-\d+|\*)/(\d{1,19})")
_CONTROL = "github.com"
"""A name that exists: where it does not resolve either, nothing is known of other names."""


@dataclass(frozen=True)
class Patience:
    """How long and how often is asked (seconds).

    ``deadline_s`` is for everything; ``longest_wait_s`` the longest ``Retry-After`` that is obeyed:
    who asks for more is not asked again.
    """

    deadline_s: float = 120
    attempts: int = 3
    backoff_s: float = 0.5
    longest_wait_s: float = 30


@dataclass
class Asker:
    """Asks about repositories, each URL once: what was said is kept for the next round of fixes.

    ``untold`` maps a URL, as it is said to people, to why nothing is known of it.
    """

    asking: Asking = field(default_factory=Asking)
    patience: Patience = field(default_factory=Patience)
    github: str = field(
        default_factory=lambda: os.environ.get("HUBPUB_GITHUB_URL") or "https://github.com"
    )
    untold: dict[str, str] = field(default_factory=dict)
    _answers: dict[str, Answer] = field(default_factory=dict)
    _tags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def allowing(cls, allow_hosts: Iterable[str]) -> Asker:
        """An asker that may ask ``HOST[:PORT]`` too, though they are not public.

        Raises:
            UsageError: a value that is no host.
        """
        return cls(Asking(tuple(parse(text) for text in allow_hosts)))

    def ask(self, repo: Repo) -> Repo:
        """``repo`` with what hosts say of its checkpoints, and GitHub of its tags; never raises."""
        wanted = list(dict.fromkeys(url for url, _ in urls(repo)))
        new = [url for url in wanted if url not in self._answers]
        if new:
            questions = _Questions(self.asking, self.patience, new[:MAX_URLS])
            self._answers.update(questions.answers())
        for url in new[MAX_URLS:]:
            self._answers[url] = Answer(None, error=f"more than {MAX_URLS} URLs are not asked for")
        answers = {url: self._answers[url] for url in wanted}
        self.untold.update(
            (shown(url), answer.error or f"the host answers {answer.status}")
            for url, answer in answers.items()
            if not answer.told
        )
        tags = newest_last({*repo.git.tags, *self._remote_tags(repo)})
        git = replace(repo.git, tags=tags)
        return replace(repo, answers=MappingProxyType(answers), git=git)

    def _remote_tags(self, repo: Repo) -> tuple[str, ...]:
        """The tags of the repository on GitHub: a clone of CI's has none."""
        if not repo.own:
            return ()
        own = repo.own[0]
        if own not in self._tags:
            found = remote_tags(f"{self.github.rstrip('/')}/{own}")
            if found is None:
                self.untold[f"{self.github.rstrip('/')}/{own}"] = "its tags cannot be listed"
            self._tags[own] = found or ()
        return self._tags[own]


def remote_tags(url: str, timeout_s: float = 20) -> tuple[str, ...] | None:
    """The tags of a repository, by ``git ls-remote``; None where they cannot be had.

    Nothing of the repository under test is read for it, no login is asked for or sent.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = kept | {
        "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:file", "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull,
        "GIT_ASKPASS": "true",
    }  # fmt: skip
    command = [
        "git", "-c", "credential.helper=", "-c", "http.lowSpeedLimit=100",
        "-c", "http.lowSpeedTime=10", "ls-remote", "--tags", "--refs", "--", url,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command,
            cwd=Path(os.sep),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if done.returncode != 0:
        return None
    lines = done.stdout[: 1 << 22].decode("utf-8", "replace").splitlines()
    return tuple(name for line in lines if (name := line.partition("\trefs/tags/")[2]))


@dataclass
class _Host:
    """The questions of one host: those that wait, and when the next may be asked."""

    waiting: deque[tuple[str, int]] = field(default_factory=deque)
    flying: int = 0
    ready: float = 0.0


class _Questions:
    """Many questions, asked by a few threads.

    The threads are daemons: nothing waits at exit for a resolver that hangs.
    """

    def __init__(self, asking: Asking, patience: Patience, wanted: list[str]) -> None:
        self._asking = asking
        self._patience = patience
        self._wanted = wanted
        self._until = time.monotonic() + patience.deadline_s
        self._changed = threading.Condition()
        self._hosts: dict[str, _Host] = {}
        self._answers: dict[str, Answer] = {}
        for url in wanted:
            self._hosts.setdefault(_host_of(url), _Host()).waiting.append((url, 0))

    def answers(self) -> dict[str, Answer]:
        """An answer for every URL; those that are late say so."""
        for _ in range(min(AT_ONCE, len(self._wanted))):
            threading.Thread(target=self._work, daemon=True).start()
        with self._changed:
            while len(self._answers) < len(self._wanted):
                left = self._until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            found = dict(self._answers)
            self._until = 0
        late = Answer(None, error=f"no answer within {self._patience.deadline_s:g} seconds")
        return self._judged({url: found.get(url, late) for url in self._wanted})

    def _judged(self, found: dict[str, Answer]) -> dict[str, Answer]:
        """Where no name at all can be looked up, an unknown host says nothing of the host."""
        if any(item.unknown_host for item in found.values()):
            try:
                self._asking.resolve(_CONTROL, 443)
            except OSError:
                blind = Answer(None, error="no name of a host can be looked up here")
                return {url: blind if item.unknown_host else item for url, item in found.items()}
        return found

    def _work(self) -> None:
        while (question := self._take()) is not None:
            url, attempt = question
            host = self._hosts[_host_of(url)]
            again, answer = None, None
            try:
                answer = ask_once(self._asking, url, self._until, careful=attempt > 0)
            except UnknownHostError:
                answer = Answer(None, error="there is no such host", unknown_host=True)
            except UntoldError as error:
                again, answer = error.again, Answer(None, error=error.reason)
            except Exception as error:  # noqa: BLE001 - a thread that dies answers nothing
                answer = Answer(None, error=f"asking fails: {type(error).__name__}")
            self._done(host, url, attempt, answer, again)

    def _take(self) -> tuple[str, int] | None:
        """The next question that may be asked now; waits for it. None where there is none left."""
        with self._changed:
            while True:
                now = time.monotonic()
                if now >= self._until or not any(
                    host.waiting or host.flying for host in self._hosts.values()
                ):
                    return None
                open_ = [
                    host for host in self._hosts.values()
                    if host.waiting and host.flying < AT_ONE_HOST
                ]  # fmt: skip
                for host in open_:
                    if host.ready <= now:
                        host.flying += 1
                        return host.waiting.popleft()
                soonest = min([self._until, *(host.ready for host in open_)])
                self._changed.wait(max(soonest - now, 0.001))

    def _done(
        self, host: _Host, url: str, attempt: int, answer: Answer, again: float | None
    ) -> None:
        with self._changed:
            host.flying -= 1
            wait = None if again is None else self._wait(again, attempt)
            if wait is None:
                self._answers[url] = answer
            else:
                host.ready = max(host.ready, time.monotonic() + wait)
                host.waiting.append((url, attempt + 1))
            self._changed.notify_all()

    def _wait(self, again: float, attempt: int) -> float | None:
        """Seconds until the next attempt: doubled each time, and not the same for everyone."""
        patience = self._patience
        if attempt + 1 >= patience.attempts or again > patience.longest_wait_s:
            return None
        jitter = 1 + random.random() / 2  # noqa: S311 - it spreads requests, and keeps no secret
        wait = max(again, patience.backoff_s * 2**attempt * jitter)
        return wait if time.monotonic() + wait < self._until else None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def ask_once(asking: Asking, url: str, until: float, *, careful: bool = False) -> Answer:
    """One round of questions about a file: HEAD, and GET where HEAD does not settle it.

    ``careful``: GET alone, because HEAD was of no use.

    Raises:
        UnknownHostError, UntoldError: as :meth:`Asking.ask`.
    """
    if not careful:
        reply = asking.ask("HEAD", url, until)
        if reply.status in BUSY:
            raise _busy(reply)
        answer = _answer(reply)
        settled = answer.size is not None and answer.size >= _SMALL and not _is_page(answer)
        if reply.status in {200, 206} and settled:
            return answer
    reply = asking.ask("GET", url, until)
    if reply.status in BUSY:
        raise _busy(reply)
    answer = _answer(reply)
    if answer.status in {200, 206} and not reply.start:
        if answer.size:
            raise UntoldError("the connection ends before the file", 0)
        return replace(answer, size=0)
    return answer


def _is_page(answer: Answer) -> bool:
    return answer.content_type in {"text/html", "application/xhtml+xml"}


def _busy(reply: Reply) -> UntoldError:
    return UntoldError(f"the host answers {reply.status}", _retry_after(reply.headers))


def _retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that ``Retry-After`` asks for (a number or a date); 0 where it asks nothing."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0) if text else 0
    except (ValueError, TypeError, OverflowError):
        return 0


def _answer(reply: Reply) -> Answer:
    headers = reply.headers
    status = reply.status
    length = headers.get("content-length", "").strip()
    size = int(length) if re.fullmatch(r"\d{1,19}", length, re.ASCII) else None
    ranged = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if status in {206, 416}:
        size = int(ranged.group(1)) if ranged else None
    if status == 416 and size == 0:
        status = 200  # an empty file has no first byte to give
    return Answer(
        status,
        size,
        headers.get("content-type", "").partition(";")[0].strip().lower(),
        shown(reply.url),
        start=reply.start,
    )
