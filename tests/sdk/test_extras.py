"""Remedies name extras that pyproject.toml has, and that bring what is missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from edgeml.extras import DISTRIBUTION, EXTRAS, install_extra, install_package

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DISTRIBUTIONS = {"elftools": "pyelftools", "pysat": "python-sat", "serial": "pyserial", "can": "python-can"}
"""Import names that are not the distribution's."""


def brought(extra: str) -> set[str]:
    """Names of distributions that an extra brings, by way of others too."""
    names: set[str] = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        own = re.match(rf"{DISTRIBUTION}\[([a-z,-]+)\]", requirement)
        names |= set.union(*map(brought, own[1].split(","))) if own else {re.split(r"[><=;\[ ]", requirement)[0]}
    return names


@pytest.mark.parametrize("package", EXTRAS)
def test_the_extra_that_is_named_brings_the_package(package: str) -> None:
    assert DISTRIBUTIONS.get(package, package.replace("_", "-")) in brought(EXTRAS[package])
    assert install_package(package) == f"pip install 'edgeml-exact[{EXTRAS[package]}]'"


def test_a_package_of_no_extra_is_installed_by_its_own_name() -> None:
    assert install_package("keras") == "pip install keras"


def test_extras_that_sources_name_are_extras_of_the_distribution() -> None:
    named = set()
    for folder in ("sdk", "converters", "targets", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            assert "pip install 'edgeml" not in text, path
            for call in re.findall(r"install_extra\(([\"'][^)]*)\)", text):
                named |= set(re.findall(r"[a-z-]+", call))
    assert {"convert", "mcu", "fpga", "hil"} <= named <= set(PROJECT["optional-dependencies"])
    assert PROJECT["name"] == DISTRIBUTION
    assert install_extra("explore", "ray") == "pip install 'edgeml-exact[explore,ray]'"


def test_extras_that_pages_name_are_extras_of_the_distribution() -> None:
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        text = path.read_text("utf-8")
        assert "edgeml[" not in text, path
        for names in re.findall(r"(?:edgeml-exact|pip install (?:-e )?'\.)\[([a-z,-]+)\]", text):
            assert set(names.split(",")) <= set(PROJECT["optional-dependencies"]), (path, names)


def test_the_base_install_has_nothing_that_trains() -> None:
    base = {re.split(r"[><=;\[ ]", requirement)[0] for requirement in PROJECT["dependencies"]}
    assert base == {"numpy", "safetensors", "typer", "rich", "jinja2", "tomli"}
