"""The executor `native`: the C of a bundle, compiled for this machine and run on it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError
from edgeml.network import Network
from edgeml.plugins import Execution, Reception, Subject
from edgeml.system.regular_file import holds, read_regular

from ..c.header_reading import read_scales
from ..c.identifiers import c_name
from ..c.program import CProgram, generate
from ..c.sensors.checked import check_counts, check_floats
from ..c.sensors.counts import counts_of
from .compiler import missing_compiler
from .dialect import cpu_dialect
from .native_call import NativeCall
from .native_network import NativeNetwork
from .native_sensor import NativeSensor

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["NativeExecutor"]

_KIND = "cpu"


_LARGEST_FILE = 2**28
_TIMED_SECONDS = 0.05


@lru_cache(maxsize=8)
def _native(network: Network) -> NativeNetwork:
    """Compiled once for each network object (a network is compared by identity)."""
    return NativeNetwork(network)


class NativeExecutor:
    """Runs the C of a bundle that was made for a CPU.

    A bundle may come from anybody, and its C would run with the user's rights: what is compiled is the C that this
    edgeml generates from the bundle's network, and only if it equals the bundle's byte for byte.
    """

    runs_monitor = True

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with C for a CPU."""
        return bundle.profile.kind == _KIND and (bundle.folder / "c").is_dir()

    def subject(self, bundle: Bundle) -> Subject:
        """The bundle's C; on another processor than the target's where that is not of this machine's kind."""
        here = platform.machine() or "unknown"
        if bundle.profile.is_this_machine:
            return Subject(f"the C on this machine ({here})", True)
        return Subject(f"the C on this machine ({here}), not on {bundle.profile.name}", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs a C compiler."""
        return missing_compiler()

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; CheckFailed where the bundle's C is not what this edgeml generates.

        The option `trust_code=True` compiles and runs the bundle's C as it is (outputs only, no trace).
        """
        q = bundle.network.check_input(q)
        asked = dict(options)
        monitor = bool(asked.pop("monitor", False)) and bundle.network.monitor is not None
        native, trusted = _of_options(bundle, asked)
        outputs, said = native.monitored(q) if monitor else (native.invoke(q), None)
        detail = f"{native.compiler.version}, {' '.join(native.flags)}"
        if trusted or not trace:
            return Execution(outputs, {}, detail, monitored=said)
        layers = native.trace(q)
        last = bundle.network.nodes[-1].name
        if not np.array_equal(layers[last], outputs):
            raise CheckFailed(f"layer {last}", "the traced and the batched entry point of the C differ")
        return Execution(outputs, layers, f"{detail}; {_alone(native)} corners of layers alone", monitored=said)

    def compile(self, bundle: Bundle, options: Mapping[str, Any]) -> NativeCall:
        """The bundle's C as a function for frequent calls. Options and errors as of `run`."""
        return NativeCall(_of_options(bundle, options)[0])

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What an application gets from the C for real numbers x [samples, inputs] by what the header says of them.

        CheckFailed where `<name>_quantize` gives other integers for x as floats, or raw counts that were stated do.
        """
        native = _checked(bundle)
        name = c_name(bundle.network.name)
        path = bundle.folder / "c" / f"{name}.h"
        text = read_regular(path, _LARGEST_FILE).decode("utf-8")
        scales = read_scales(text, name.upper(), str(path))
        sensor, folder = NativeSensor(_program(bundle, native)), bundle.folder / "c"
        check_floats(bundle.network.quantizer, sensor.quantize, x, f"{folder / name}_sensor.c")
        if counts := counts_of(bundle.manifest):
            check_counts(bundle.network.quantizer, sensor.quantize_counts, counts, f"{folder / name}_counts.c")
        outputs = native.invoke(scales.quantize(x))
        return Reception(scales.real(outputs), f"quantized by the scales in c/{name}.h, and by {name}_quantize")

    def benchmark(self, bundle: Bundle, q: npt.NDArray[np.int32]) -> float:
        """Seconds per inference of a batch, timed over a compiled loop."""
        native = _checked(bundle)
        once = native.time(q, 1, singly=len(q) == 1) * len(q)
        return native.time(q, max(1, int(_TIMED_SECONDS / max(once, 1e-9))), singly=len(q) == 1)


@lru_cache(maxsize=8)
def _alone(native: NativeNetwork) -> int:
    """How many inputs each layer alone was right on, all together; CheckFailed where one was not."""
    return native.check_layers()


_CHECKED: WeakKeyDictionary[Bundle, NativeNetwork] = WeakKeyDictionary()


def _checked(bundle: Bundle) -> NativeNetwork:
    """The network of a bundle whose C is what this edgeml generates; compared once for each bundle object."""
    native = _CHECKED.get(bundle)
    if native is None:
        native = _native(bundle.network)
        for name, text in _program(bundle, native).files.items():
            path = bundle.folder / "c" / name
            if not holds(path, text.encode()):
                raise CheckFailed(
                    str(path),
                    "differs from the C that this edgeml generates for the bundle's network, and is not run",
                    "Convert the model again, or pass the option trust_code if you know who wrote it",
                )
        _CHECKED[bundle] = native
    return native


def _of_options(bundle: Bundle, options: Mapping[str, Any]) -> tuple[NativeNetwork, bool]:
    """The compiled C that options of `run` and `compile` ask for, and whether it is the bundle's as it is."""
    if unknown := sorted(set(options) - {"trust_code"}):
        raise InputError(f"option {unknown[0]!r}", "is not one of executor native", "Known: trust_code")
    if options.get("trust_code", False):
        return NativeNetwork(bundle.network, files=_own_files(bundle)), True
    return _checked(bundle), False


def _program(bundle: Bundle, native: NativeNetwork) -> CProgram:
    """The bundle's C as this edgeml generates it: with what takes the raw counts that were stated."""
    counts = counts_of(bundle.manifest)
    return generate(bundle.network, cpu_dialect(), counts) if counts else native.program


def _own_files(bundle: Bundle) -> dict[str, str]:
    """All C files of a bundle by name."""
    files = {}
    root = bundle.folder / "c"
    for path in sorted([*root.glob("*.[ch]"), *root.glob("edgeml/*.h")]):
        try:
            files[path.relative_to(root).as_posix()] = read_regular(path, _LARGEST_FILE, links=False).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(str(path), f"is not text in UTF-8 ({error})") from error
    return files
