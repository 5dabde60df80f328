"""``hubpub verify TARGET``."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from hubpub import config
from hubpub.cli.outputs import Target, targets, write_report
from hubpub.config.sizes import MOST, size
from hubpub.errors import CannotVerifyError, UsageError
from hubpub.output import reports
from hubpub.verify.limits import Limits

EXIT = {"pass": 0, "fail": 1, "error": 4, "interrupted": 130}
_DEFAULTS = Limits()
_SECONDS = ("timeout", "deadline", "cpu_time")
_MOST_SECONDS = 1 << 32  # what the kernel takes, and more than there is
F = TypeVar("F", bound=Callable[..., Any])


def _size_option(flag: str, default: int, text: str) -> Callable[[F], F]:
    return click.option(flag, type=size, metavar="SIZE", default=default, help=text)


@click.command("verify")
@click.argument("target")
@click.option("--working-tree", is_flag=True, help="Of a local path: the files as they are.")
@click.option(
    "--device",
    metavar="NAME[,NAME]",
    default="auto",
    show_default=True,
    help="auto: the CPU and, where there is one, a CUDA device. all: the CPU and every GPU. Or by "
    "name, and nothing runs where one is not there: cpu, cuda, cuda:N, xpu, xpu:N, mps.",
)
@click.option(
    "--sandbox",
    "tier",
    type=click.Choice(["auto", "bwrap", "container", "none"]),
    default="auto",
    show_default=True,
    help="auto is bwrap, or nothing runs. container (podman or docker) is untried so far. "
    "none runs the code as you.",
)
@click.option("--i-trust-this-code", "trusted", is_flag=True, help="For --sandbox none.")
@click.option(
    "--image",
    help="For --sandbox container: an image with python3 and torch, instead of this machine's.",
)
@click.option(
    "--all-packages",
    is_flag=True,
    help="Let jobs import every package that is installed here, not the declared ones alone.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    metavar="HOST[:PORT]",
    multiple=True,
    help="A host that jobs may download from, beside GitHub, PyTorch and Hugging Face.",
)
@click.option(
    "--checkpoints",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Files that answer for downloads without a network: DIR/NAME for a URL that ends in NAME.",
)
@click.option(
    "--github-url",
    envvar="HUBPUB_GITHUB_URL",
    show_envvar=True,
    help="Instead of https://github.com: an Enterprise host, or file:// with owner/repo below it.",
)
@click.option(
    "--require",
    metavar="AXIS",
    multiple=True,
    help="An axis that fails the run when it fails, beside listed, loads, forward and weights; "
    "repeatable.",
)
@click.option(
    "--skip",
    metavar="AXIS",
    multiple=True,
    help="An axis that is left out, as the report then says; repeatable.",
)
@click.option(
    "--output-format",
    "formats",
    metavar="NAME[:FILE]",
    multiple=True,
    help=f"{', '.join(reports.FORMATS)}; repeatable. Text on stdout when none is given.",
)
@click.option("--write-lock", is_flag=True, help="Write hubpub.lock, if everything is proven.")
@click.option(
    "--locked", is_flag=True, help="Fail where an entrypoint does not use what hubpub.lock says."
)
@click.option(
    "--lock",
    "lock_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The lock, instead of hubpub.lock in this directory.",
)
@click.option(
    "--attestation",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write an in-toto statement of what is proven, to be signed, if everything is proven.",
)
@click.option("--timeout", type=float, default=_DEFAULTS.timeout_s, help="Seconds a job may take.")
@click.option(
    "--deadline", type=float, default=_DEFAULTS.deadline_s, help="Seconds the run may take."
)
@click.option("--cpu-time", type=int, default=_DEFAULTS.cpu_s, help="CPU seconds of a job.")
@_size_option("--memory", _DEFAULTS.memory_bytes, "Memory of a job.")
@_size_option("--disk", _DEFAULTS.disk_bytes, "Disk of a job.")
@click.option("--files", type=int, default=_DEFAULTS.files, help="Files a job may make.")
@click.option("--processes", type=int, default=_DEFAULTS.processes, help="Processes of a job.")
@_size_option("--output-limit", _DEFAULTS.output_bytes, "Output of a job.")
@_size_option("--download-limit", _DEFAULTS.download_bytes, "Downloads of a job.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    help="Entrypoints at a time, each in a sandbox of its own with limits of its own.",
)
@click.option(
    "--max-entrypoints",
    type=int,
    default=_DEFAULTS.max_entrypoints,
    help="More entrypoints than this fail the run.",
)
@click.option(
    "--entrypoint",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    help="Only the entrypoints that PATTERN matches, as a shell does; repeatable. No whole proof.",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Only part I of N of the entrypoints; `hubpub report merge` joins the reports of all N.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Go on with an interrupted run, whose JSON report is FILE: keep what it has proven.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="A new interpreter for each job: slower, for code that breaks in a forked process.",
)
def command(
    target: str,
    working_tree: bool,
    device: str,
    tier: str,
    trusted: bool,
    image: str | None,
    all_packages: bool,
    allow_hosts: tuple[str, ...],
    checkpoints: Path | None,
    write_lock: bool,
    locked: bool,
    lock_file: Path | None,
    attestation: Path | None,
    github_url: str | None,
    require: tuple[str, ...],
    skip: tuple[str, ...],
    formats: tuple[str, ...],
    fresh: bool,
    jobs: int,
    patterns: tuple[str, ...],
    shard: str | None,
    resume: Path | None,
    **bounds: Any,
) -> int:
    """Prove TARGET: load every entrypoint with the real torch.hub, in a sandbox.

    TARGET is owner/repo[:ref] as torch.hub reads it, or a path to a local git repository with an
    optional :ref (the committed HEAD without one).

    Exit code 0: proven. 1: something does not load or needs action. 4: nothing could be proven.
    """
    from hubpub import verify
    from hubpub.cli import attesting, locking, progress
    from hubpub.verify import demands, devices, hosts, reference, report, reportfile, selection
    from hubpub.verify.egress import supplied
    from hubpub.verify.sandbox import tiers

    outputs = targets(formats, reports.FORMATS)
    asked = reference.parse(target, working_tree=working_tree)
    part, resumed = bool(patterns or shard), resume is not None
    locking.of_a_part(write=write_lock, locked=locked, part=part, resumed=resumed)
    attesting.of_a_proof(
        attestation,
        working_tree=working_tree,
        tier=tier,
        part=part,
        checkpoints=bool(checkpoints),
        skip=skip,
    )
    locks = locking.wanted(asked, lock_file, write=write_lock, locked=locked)
    hosts.rules(allow_hosts)
    if checkpoints is not None:
        supplied.Supplied(checkpoints).check(write_lock=write_lock)
    devices.read(device)
    wanted = tiers.Wanted(tier, trusted, image)
    wanted.check()
    demanded = demands.Demands(frozenset(require), frozenset(skip))
    demanded.check()
    options = verify.Options(
        github_url=github_url or config.load(Path()).github_url,
        allow_hosts=allow_hosts,
        checkpoints=checkpoints,
        locked=locks.held if locked else None,
        device=device,
        sandbox=wanted,
        all_packages=all_packages,
        limits=_limits(bounds),
        fresh=fresh,
        jobs=jobs,
        selection=selection.Selection(
            patterns, None if shard is None else selection.read_shard(shard)
        ),
        resume=None if resume is None else reportfile.read(resume),
        demands=demanded,
    )
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _end)
    try:
        with progress.watch(target) as say:
            result = verify.verify(asked, options, say)
    except verify.InterruptedRun as stopped:
        _write(_with_earlier(report.to_json(stopped.report), options.resume), outputs)
        raise stopped.ended from None
    except (CannotVerifyError, KeyboardInterrupt, SystemExit) as error:
        # What is to be gone on with is not written over with a report of nothing.
        others = [each for each in outputs if not _is_file(each[1], resume)]
        _write(report.to_json(_nothing_proven(asked, error)), others, quiet=True)
        raise
    document = _with_earlier(report.to_json(result), options.resume)
    _write(document, outputs)
    if write_lock:
        locking.write(locks, result)
    attesting.write_if_passed(attestation, document)
    return EXIT[document["status"]]


def _is_file(path: Path | None, other: Path | None) -> bool:
    return path is not None and other is not None and path.resolve() == other.resolve()


def _with_earlier(document: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    from hubpub.verify import resuming

    return document if earlier is None else resuming.joined(earlier, document)


_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def _end(number: int, frame: object) -> None:  # noqa: ARG001
    """A cancelled CI job gets a TERM: leave as Ctrl-C does, with nothing left behind.

    The first one counts. What stops every sandbox and takes away its files takes a moment, which
    another one (Ctrl-C held down, CI's second signal) would cut short.
    """
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _limits(bounds: dict[str, Any]) -> Limits:
    for name, value in bounds.items():
        if math.isnan(value) or value <= 0:
            raise UsageError(f"--{name.replace('_', '-')} must be more than 0")
        bounds[name] = min(value, _MOST_SECONDS if name in _SECONDS else MOST)
    names = {
        "timeout": "timeout_s",
        "deadline": "deadline_s",
        "cpu_time": "cpu_s",
        "memory": "memory_bytes",
        "disk": "disk_bytes",
        "output_limit": "output_bytes",
        "download_limit": "download_bytes",
    }
    return replace(_DEFAULTS, **{names.get(name, name): value for name, value in bounds.items()})


def _nothing_proven(asked: Any, error: BaseException) -> Any:
    """The report of a run that could not start, or was ended, for the machine that reads it."""
    import platform

    from hubpub import verify
    from hubpub.verify import report

    if isinstance(error, CannotVerifyError):
        status, name, message, advice = "error", "not-verified", error.message, error.help
    else:
        status, name, message, advice = "interrupted", "interrupted", "the run was ended", None
    return report.Report(
        status=status,
        reference=report.Reference(asked.owner, asked.repo, None, None, asked.ref),
        environment=verify.environment(platform.python_version(), None, ()),
        sandbox=report.SandboxReport("not started", {}),
        findings=(report.Finding("verify", name, "error", message, help=advice),),
    )


def _write(document: dict[str, Any], outputs: list[Target], *, quiet: bool = False) -> None:
    """Write each format; with ``quiet``, no text on stdout, which the error message repeats."""
    for name, path in outputs:
        if not (quiet and name == "text" and path is None):
            write_report(document, name, path)
