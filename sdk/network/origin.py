"""Where a layer comes from in the user's model: a text for people, safe wherever it is written.

It goes into files, reports, and comments of generated C and Verilog, and comes from models that others may have made:
so it is one line of printable ASCII that closes no comment, of bounded length, without folders of somebody's machine.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LONGEST_ORIGIN", "origin_text"]

LONGEST_ORIGIN = 160
"""Characters of an origin; of a longer one the end is cut off."""
_MOST_READ = 1024
_WORD = re.compile(r"""([\s"'(),;<>]+)""")
_FILE = re.compile(r"\.(?:py|ipynb|pyc|pt2?|pth|onnx|tflite|nir)\b")
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._,:;()\[\]<>=+@#/'&|-]")


def origin_text(text: str) -> str:
    """`text` as an origin: other characters become `_`, folders before a file's name go; the same if done again."""
    letters = unicodedata.normalize("NFKD", text[:_MOST_READ])
    plain = " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
    short = _without_folders(_UNSAFE.sub("_", _without_folders(plain)))[:LONGEST_ORIGIN]
    return _without_folders(short).strip()


def _without_folders(text: str) -> str:
    """`text` with the base name of each file in it; names of operators may hold slashes and keep them."""
    return "".join(_base_name(word) for word in _WORD.split(text))


def _base_name(word: str) -> str:
    file = _FILE.search(word)
    if file is None:
        return word
    start = max(word.rfind("/", 0, file.start()), word.rfind("\\", 0, file.start())) + 1
    return word[start:]
