"""The executor `native`: the C of a bundle, compiled for this machine and run on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network import Network
from edgeml.plugins import Execution

from .compiler import MISSING_COMPILER, find_compiler
from .library import NativeNetwork

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["NativeExecutor"]

_KIND = "cpu"


@lru_cache(maxsize=8)
def _native(network: Network) -> NativeNetwork:
    """Compiled once for each network object (a network is compared by identity)."""
    return NativeNetwork(network)


class NativeExecutor:
    """Runs the C of a bundle that was made for a CPU.

    A bundle may come from anybody, and its C would run with the user's rights: what is compiled is the C that this
    edgeml generates from the bundle's network, and only if it equals the bundle's byte for byte.
    """

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with C for a CPU."""
        return bundle.profile.kind == _KIND and (bundle.folder / "c").is_dir()

    def missing(self, bundle: Bundle) -> str:
        """Needs a C compiler."""
        return "" if find_compiler() else MISSING_COMPILER

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; CheckFailed where the bundle's C is not what this edgeml generates."""
        native = _native(bundle.network)
        for name, text in native.program.files.items():
            path = bundle.folder / "c" / name
            if not _same(path, text.encode()):
                raise CheckFailed(
                    str(path),
                    "differs from the C that this edgeml generates for the bundle's network, and is not run",
                    "Convert the model again, or compile that folder yourself if you trust it",
                )
        q = bundle.network.check_input(q)
        outputs = native.invoke(q)
        layers = native.trace(q) if trace else {}
        last = bundle.network.nodes[-1].name
        if trace and not np.array_equal(layers[last], outputs):
            raise CheckFailed(f"layer {last}", "the traced and the batched entry point of the C differ")
        detail = f"{native.compiler.version}, {' '.join(native.flags)}"
        return Execution(outputs, layers, detail)


def _same(path: Any, content: bytes) -> bool:
    """Whether the file holds exactly `content`; reads no more than its length."""
    try:
        with path.open("rb") as file:
            return bool(file.read(len(content) + 1) == content)
    except OSError:
        return False
