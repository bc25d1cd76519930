"""The executor `brevitas`: the quantized network on Brevitas modules, in torch, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.extras import install_extra
from edgeml.network import Network
from edgeml.plugins import Execution, Subject
from edgeml.system.caller_state import preserved

from .model_file import BREVITAS_FILE, read

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["BrevitasExecutor"]


class BrevitasExecutor:
    """Rebuilds the Brevitas network from the bundle's safetensors and runs it: float64 against integers."""

    def applies(self, bundle: Bundle) -> bool:
        """Bundles that the quantized converter made."""
        return (bundle.folder / BREVITAS_FILE).is_file()

    def subject(self, bundle: Bundle) -> Subject:
        """The same network, in torch."""
        return Subject("the same network in Brevitas, no artifact of the target", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs torch and brevitas."""
        absent = [name for name in ("torch", "brevitas") if find_spec(name) is None]
        return install_extra("convert") if absent else ""

    def reference(self, bundle: Bundle) -> Network:
        """The network with all channels that the model has."""
        return bundle.converted

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; InputError where the file is not sound or is of another network."""
        model = read(bundle.folder / BREVITAS_FILE)
        q = bundle.network.check_input(q)
        quantizer, own = bundle.network.quantizer, model.input
        if (own.size, own.bits, own.signed) != (quantizer.size, quantizer.bits, quantizer.signed):
            raise InputError(str(bundle.folder / BREVITAS_FILE), "is not of the bundle's network: its input differs")
        from .brevitas_network import BrevitasNetwork

        with preserved():
            layers = BrevitasNetwork(model).integers(q, keep=trace)
        last = layers[model.nodes[-1].name]
        detail = f"brevitas {version('brevitas')} in float64, torch {version('torch')}"
        return Execution(last, layers if trace else {}, detail)
