"""The operators of the float MLP, one file each; importing this folder registers all of them.

`FloatOperator` says what an operator must have, and how a package of anybody's adds one.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
