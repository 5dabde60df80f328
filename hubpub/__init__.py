"""hubpub: publish models through PyTorch Hub, with proof.

Three verbs, each a function that can be called from Python. They live in the modules that
implement them, because a function ``hubpub.check`` would be shadowed by the module of that name:

* :func:`hubpub.scaffold.init` writes a ``hubconf.py`` and the files around it;
* :func:`hubpub.check.check` reads a repository statically and judges it;
* :func:`hubpub.verify.verify` runs the real ``torch.hub`` loader in a sandbox and reports.

Importing this package imports nothing else.
"""

__version__ = "0.1.0"
