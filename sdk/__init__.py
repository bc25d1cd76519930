"""edgeml: trained MLPs onto the smallest hardware there is, bit for bit.

>>> import edgeml
>>> bundle = edgeml.convert("model.pt2", to="quantized", target="host", data="data.npz", options={"bits": 2})
>>> bundle = edgeml.load("build/model")
>>> bundle.run(x, on="native").integers
>>> edgeml.verify(bundle, require=["native"])

convert : a trained model in, a verified bundle out.
load : the bundle in a folder.
verify : every executor that can run here, against golden.
Bundle, Result, Verdict : what they give.
EdgemlError : the base of all errors that are raised on purpose; InputError, CheckFailed, ToolFailed, MissingTool.

The integer network itself is `edgeml.network`, hardware in the loop `edgeml.hil`, what packages add `edgeml.plugins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .other_distribution import warn_of_other
from .version import __version__

if TYPE_CHECKING:
    from .bundle import Bundle, Result, load
    from .errors import CheckFailed, EdgemlError, InputError, MissingTool, ToolFailed
    from .pipeline import convert
    from .verification.verdict import Verdict
    from .verification.verify import verify

__all__ = [
    "Bundle",
    "CheckFailed",
    "EdgemlError",
    "InputError",
    "MissingTool",
    "Result",
    "ToolFailed",
    "Verdict",
    "__version__",
    "convert",
    "load",
    "verify",
]

warn_of_other()

_HOMES = {
    "Bundle": "bundle",
    "CheckFailed": "errors",
    "EdgemlError": "errors",
    "InputError": "errors",
    "MissingTool": "errors",
    "Result": "bundle",
    "ToolFailed": "errors",
    "Verdict": "verification.verify",
    "convert": "pipeline",
    "load": "bundle",
    "verify": "verification.verify",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `edgeml --help` answers at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
