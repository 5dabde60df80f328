"""The package that hubconf.py loads from.

Its name is part of the publication: every repository that torch.hub loads shares one set of
imported modules, so a name that two of them use, such as ``models``, breaks the second one.
"""
