"""edgeml: trained MLPs onto the smallest hardware there is, bit for bit.

bundle = edgeml.convert("model.pt2", to="quantized", target="host", data="data.npz", options={"bits": 2})
bundle = edgeml.load("build/model")
bundle.run(x, on="native").integers
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import Bundle, Result, load
    from .pipeline import convert
    from .verify import verify

__version__ = "0.1.0"
__all__ = ["Bundle", "Result", "__version__", "convert", "load", "verify"]

_HOMES = {"Bundle": "bundle", "Result": "bundle", "load": "bundle", "convert": "pipeline", "verify": "verify"}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `edgeml --help` answers at once."""
    if name in _HOMES:
        from importlib import import_module

        module = import_module(f".{_HOMES[name]}", __name__)
        if name == "verify":  # the submodule of the same name would hide the function
            return module.verify
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
