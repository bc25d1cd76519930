"""A bundle's model card as a file of the bundle."""

from __future__ import annotations

import shutil
from dataclasses import replace

from .bundle import Bundle, load, seal
from .system.output_folder import unfinished_folder

__all__ = ["CARD", "add_card"]

CARD = "README.md"
"""What the Hugging Face Hub, and others that host files, show of a folder."""


def add_card(bundle: Bundle, text: str) -> Bundle:
    """The bundle with `text` as its card, listed in its manifest; the folder is replaced as a whole."""
    final = bundle.folder
    manifest = {key: value for key, value in bundle.manifest.items() if key not in ("schema", "files")}
    with unfinished_folder(final) as folder:
        shutil.copytree(final, folder, dirs_exist_ok=True)
        (folder / CARD).write_text(text, encoding="utf-8")
        seal(folder, manifest)
        return replace(load(folder), folder=final)
