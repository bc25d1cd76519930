"""Maps the top-level folders onto one import package; everything else is in pyproject.toml."""

from setuptools import find_packages, setup

ROOTS = {
    "edgeml": "sdk",
    "edgeml.converters": "converters",
    "edgeml.targets": "targets",
    "edgeml.firmware_stubs": "firmware_stubs",
}

setup(
    packages=[
        name for root, folder in ROOTS.items() for name in [root, *(f"{root}.{sub}" for sub in find_packages(folder))]
    ]
)
