"""The five exact encodings, one file each."""

from ....errors import NetworkError
from .encoding import Encoding, Train
from .graded import Graded
from .sar import Sar
from .stbif import Stbif
from .ttfs import Ttfs
from .unary import Unary

__all__ = ["ENCODINGS", "Encoding", "Graded", "Sar", "Stbif", "Train", "Ttfs", "Unary", "encoding"]

ENCODINGS: dict[str, Encoding] = {e.name: e for e in (Unary(), Sar(), Ttfs(), Graded(), Stbif())}


def encoding(name: str) -> Encoding:
    """The encoding called so; NetworkError naming the known ones if there is none."""
    if not isinstance(name, str) or name not in ENCODINGS:
        raise NetworkError(f"encoding {name!r}", f"is not known; known: {', '.join(ENCODINGS)}")
    return ENCODINGS[name]
