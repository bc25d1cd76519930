"""The operators of an int8 .tflite file, one file each: how each is read, written, and lowered to integer layers."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
