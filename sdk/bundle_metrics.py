"""What is found of a bundle after it was made: kept in its manifest and its report, with files of evidence."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .bundle import REPORT, Bundle, load, seal
from .report import render
from .system.output_folder import unfinished_folder

__all__ = ["with_metrics"]


def with_metrics(
    bundle: Bundle, metrics: Mapping[str, Any], files: Mapping[str, bytes] | None = None, *, instead_of: str = ""
) -> Bundle:
    """The bundle with these metrics besides its own, its report and manifest written again, replaced as a whole.

    files : more files, by their paths in it; they take the place of its folder `instead_of`.
    """
    final = bundle.folder
    with unfinished_folder(final) as folder:
        left_out = shutil.ignore_patterns(instead_of) if instead_of else None
        shutil.copytree(final, folder, dirs_exist_ok=True, ignore=left_out)
        for name, content in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        manifest = {key: value for key, value in bundle.manifest.items() if key not in ("schema", "files")}
        manifest["metrics"] = {**manifest.get("metrics", {}), **metrics}
        (folder / REPORT).write_text(render(manifest, bundle.network, bundle.golden()[0]), encoding="utf-8")
        seal(folder, manifest)
        return replace(load(folder), folder=final)
