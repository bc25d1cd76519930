"""The package that `docs/your-own-layer.md` makes, installed as pip would, for the length of a test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.blocks import blocks_of
from tests.forgotten_kinds import forget_kinds

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = Path(__file__).parents[2] / "docs" / "your-own-layer.md"
NAME = "edgeml_concat"


def package_files() -> dict[str, str]:
    """The page's files by name within the package."""
    titles = {block.values["title"]: block.text for block in blocks_of(PAGE.read_text("utf-8")) if block.values}
    return {Path(title).name: text for title, text in titles.items() if title.startswith("edgeml-concat/")}


@contextmanager
def installed(folder: Path, **changed: str) -> Iterator[Path]:
    """The package on the import path, with its entry points; `changed` are files with another text, by stem."""
    site = folder / "site"
    described = site / f"{NAME}-0.1.dist-info"
    (site / NAME).mkdir(parents=True)
    described.mkdir()
    files = package_files()
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    for name, text in files.items():
        (site / NAME / name).write_text(changed.get(Path(name).stem, text), encoding="utf-8")
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 0.1\n", encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (described / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    sys.path.append(str(site))
    try:
        yield site
    finally:
        sys.path.remove(str(site))
        modules = [module for module in sys.modules if module.split(".")[0] == NAME]
        forget_kinds(modules)
        for module in modules:
            del sys.modules[module]
