"""The executor `wasmtime`: the WebAssembly of a bundle, run by the package wasmtime."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError, MissingTool
from edgeml.extras import install_extra
from edgeml.plugins import Execution, Reception, Subject
from edgeml.system.regular_file import read_regular

from ..c.identifiers import c_name
from ..c.sensors.checked import check_floats
from .web import FOLDER, MACHINE

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["WasmtimeExecutor"]

_LARGEST_FILE = 2**28
_PLACES = ("readings", "real", "input", "output")


class WasmtimeExecutor:
    """Runs `web/<name>.wasm` as it lies in the bundle: the module imports nothing, and so can reach nothing."""

    def applies(self, bundle: Bundle) -> bool:
        """Bundles for WebAssembly."""
        return bundle.profile.kind == "cpu" and bundle.profile.values.get("machine") == MACHINE

    def subject(self, bundle: Bundle) -> Subject:
        """The module that web pages load."""
        return Subject("the WebAssembly, in the runtime wasmtime", True)

    def missing(self, bundle: Bundle) -> str:
        """Needs the package wasmtime, and a bundle that was made where there was zig."""
        if importlib.util.find_spec("wasmtime") is None:
            return f"the package wasmtime: {install_extra('toolchain')}"
        if not self._path(bundle).is_file():
            return f"{self._path(bundle).name}: convert again with zig ({install_extra('toolchain')})"
        return ""

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]: outputs, and no trace."""
        if options:
            raise InputError(f"option {sorted(options)[0]!r}", "is not one of executor wasmtime: it has none")
        q = bundle.network.check_input(q)
        module = _Module(bundle, self._path(bundle))
        outputs = module.each("invoke", "input", q.astype(module.integer), "output", bundle.network.output_size, "<i4")
        return Execution(outputs.astype(np.int32), {}, f"wasmtime {module.version}")

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What a page gets for real numbers x [samples, inputs]; CheckFailed where integers are not the quantizer's."""
        network = bundle.network
        module = _Module(bundle, self._path(bundle))

        def quantize(floats: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
            made = module.each(
                "quantize", "readings", floats.astype("<f4"), "input", network.input_size, module.integer
            )
            return made.astype(np.int32)

        q = check_floats(network.quantizer, quantize, x, str(self._path(bundle)))
        outputs = self.run(bundle, q, trace=False, options={}).outputs
        real = module.each("dequantize", "output", outputs.astype("<i4"), "real", network.output_size, "<f4")
        return Reception(real.astype(np.float64), "quantized and dequantized by the module")

    @staticmethod
    def _path(bundle: Bundle) -> Path:
        return bundle.folder / FOLDER / f"{c_name(bundle.network.name)}.wasm"


class _Module:
    """A module with its memory; CheckFailed where it is not one of edgeml's."""

    def __init__(self, bundle: Bundle, path: Path) -> None:
        try:
            import wasmtime
        except ImportError as error:
            raise MissingTool("wasmtime", "needs the package wasmtime", install_extra("toolchain")) from error
        self.version = version("wasmtime")
        self.integer = np.dtype("<i1" if bundle.network.quantizer.signed else "<u1")
        self._path = path
        self._store = wasmtime.Store()
        self._failures = (wasmtime.WasmtimeError, wasmtime.Trap, KeyError, TypeError, ValueError, IndexError)
        try:
            compiled = wasmtime.Module(self._store.engine, read_regular(path, _LARGEST_FILE))
            self._exports = cast(Any, wasmtime.Instance(self._store, compiled, []).exports(self._store))
            self._memory = self._exports["memory"]
            self._places = {name: int(self._exports[name](self._store)) for name in _PLACES}
        except self._failures as error:
            raise CheckFailed(str(path), f"is not a module of edgeml's ({error})", "Convert the model again") from error

    def each(
        self, function: str, source: str, rows: npt.NDArray[Any], result: str, width: int, dtype: Any
    ) -> npt.NDArray[Any]:
        """What a function leaves at `result` [rows, width] for each row that is put at `source`."""
        found = np.empty((len(rows), width), dtype)
        start = self._places[result]
        try:
            for row, target in zip(rows, found, strict=True):
                self._memory.write(self._store, bytearray(row.tobytes()), self._places[source])
                self._exports[function](self._store)
                target[:] = np.frombuffer(self._memory.read(self._store, start, start + target.nbytes), dtype)
        except self._failures as error:
            raise CheckFailed(str(self._path), f"{function} fails: {error}", "Convert the model again") from error
        return found
