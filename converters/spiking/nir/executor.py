"""The executor `nir`: what a reader of the bundle's .nir file gets that takes the exact integers in it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError
from edgeml.extras import install_extra
from edgeml.network import Network, simulate
from edgeml.network import trace as golden_trace
from edgeml.network.network_file import model_hash
from edgeml.plugins import Execution, Reception, Subject

from .read import read_model, read_scales

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["NirExecutor"]


def _file(bundle: Bundle) -> Path | None:
    names = [name for name in bundle.manifest.get("files", {}) if name.startswith("nir/") and name.endswith(".nir")]
    return bundle.folder / names[0] if names else None


def _exact(bundle: Bundle) -> tuple[Path, Network]:
    path = _file(bundle)
    if path is None:
        raise InputError(str(bundle.folder), "holds no .nir file")
    network = read_model(path)
    if not isinstance(network, Network):
        raise CheckFailed(str(path), "does not hold the exact integers", "Convert the model again")
    return path, network


class NirExecutor:
    """Reads the exact network out of a bundle's .nir file and simulates it; NIR's own nodes say less than that."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds a .nir file."""
        return _file(bundle) is not None

    def subject(self, bundle: Bundle) -> Subject:
        """A file for other tools."""
        return Subject("the exact integers in the .nir file, in the golden simulator", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs h5py."""
        return "" if importlib.util.find_spec("h5py") else install_extra("neuromorphic")

    def reference(self, bundle: Bundle) -> Network:
        """The network with all channels that the model has."""
        return bundle.converted

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; CheckFailed if the file holds another network than the bundle."""
        path, network = _exact(bundle)
        if model_hash(network) != model_hash(bundle.converted):
            raise CheckFailed(str(path), "holds another network than the bundle", "Convert the model again")
        detail = "the .nir file's exact integers"
        if not trace:
            return Execution(simulate(network, q), {}, detail)
        layers = golden_trace(network, q)
        return Execution(layers[network.nodes[-1].name], layers, detail)

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What a reader gets for real numbers x [samples, inputs] by the statement in the file."""
        path, network = _exact(bundle)
        scales = read_scales(path)
        return Reception(scales.real(simulate(network, scales.quantize(x))), "quantized as the .nir file says")
