"""Runs inside the sandbox: the standard library and torch, nothing else of hubpub.

:mod:`supervisor` is the first process of the sandbox. It imports torch once, computes nothing, and
forks one child per job; :mod:`job` is that child, :mod:`watch` counts what it uses. The parent
mounts this directory read-only under the name ``hubpub_worker``, which no repository is likely to
call a module of its own, and runs ``hubpub_worker.supervisor.main``.
"""
