"""Executors on simulators of the chips' own makers, and on models of them that recorded runs confirm."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.extras import install_package
from edgeml.network import Network
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.time_stepped import run
from edgeml.plugins import Execution, Subject
from edgeml.system.caller_state import preserved

from .akida import run_on_akida
from .snntorch import can_run, run_on_snntorch
from .xylosim import run_on_xylosim

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["AkidaExecutor", "LoihiExecutor", "SnntorchExecutor", "SpikesExecutor", "XylosimExecutor"]


def _without(package: str) -> str:
    if importlib.util.find_spec(package):
        return ""
    return f"the package {package} is not installed. Install it with: {install_package(package)}"


def _models(network: Network) -> set[str]:
    return {layer.model.name for layer in network.of_kind(LeakyNeurons).values()}


def _on_chip(bundle: Bundle, chip: str) -> bool:
    """Whether the bundle was made for this kind of chip."""
    return bundle.profile.kind == "neuromorphic" and str(bundle.profile.values.get("chip", "")).startswith(chip)


class XylosimExecutor:
    """SynSense's cycle-exact simulator of Xylo (xylosim.v2)."""

    def applies(self, bundle: Bundle) -> bool:
        """Networks whose neurons are all Xylo's."""
        return _models(bundle.network) == {"xylo"}

    def subject(self, bundle: Bundle) -> Subject:
        """See `plugins.Subject`."""
        return Subject("the chip's parameters on SynSense's simulator of Xylo", _on_chip(bundle, "xylo"))

    def missing(self, bundle: Bundle) -> str:
        """Needs the package xylosim."""
        return _without("xylosim")

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; the trace holds the spikes of every layer."""
        outputs, layers = run_on_xylosim(bundle.network, q)
        return Execution(outputs, layers if trace else {}, "xylosim.v2 (Xylo Audio 2)")


class AkidaExecutor:
    """BrainChip's software backend of Akida 1.0."""

    def applies(self, bundle: Bundle) -> bool:
        """Bundles for an Akida 1.0 chip."""
        return bundle.profile.values.get("chip") == "akida" and bundle.profile.values.get("akida_version") == 1

    def subject(self, bundle: Bundle) -> Subject:
        """See `plugins.Subject`."""
        return Subject("the chip's parameters on BrainChip's software backend", True)

    def missing(self, bundle: Bundle) -> str:
        """Needs the package akida."""
        return _without("akida")

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]."""
        outputs, version = run_on_akida(bundle.network, q)
        return Execution(outputs, {}, f"akida {version}, software backend")


class SnntorchExecutor:
    """snnTorch's own neurons on integers in float64, their decays rounded as the network says."""

    def applies(self, bundle: Bundle) -> bool:
        """Networks whose neurons are all snnTorch's, without delays of synapses, which it has not."""
        layers = bundle.network.of_kind(LeakyNeurons).values()
        return bool(layers) and all(can_run(layer) for layer in layers)

    def subject(self, bundle: Bundle) -> Subject:
        """See `plugins.Subject`."""
        return Subject("the same network in snnTorch, no artifact of the target", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs the package snntorch."""
        return _without("snntorch")

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; the trace holds the spikes of every layer."""
        with preserved():
            outputs, layers, version = run_on_snntorch(bundle.network, q)
        return Execution(
            outputs, layers if trace else {}, f"snntorch {version}, integers in float64, decays rounded as declared"
        )


class LoihiExecutor:
    """Loihi's compartments stepped one by one, written apart from the golden simulator (lava itself is archived)."""

    def applies(self, bundle: Bundle) -> bool:
        """Networks whose neurons are all Loihi's."""
        return _models(bundle.network) == {"loihi"}

    def subject(self, bundle: Bundle) -> Subject:
        """See `plugins.Subject`."""
        return Subject("the chip's parameters on a model of Loihi's compartments", _on_chip(bundle, "loihi"))

    def missing(self, bundle: Bundle) -> str:
        """Needs numpy only."""
        return ""

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; the trace holds the spikes of every layer."""
        from .loihi import run_on_loihi_model

        outputs, layers = run_on_loihi_model(bundle.network, q)
        return Execution(outputs, layers if trace else {}, "lava's bit-accurate LIF, modelled; equal on recorded runs")


class SpikesExecutor:
    """The actual spikes of an exact encoding, slot by slot, where golden evaluates their definition."""

    def applies(self, bundle: Bundle) -> bool:
        """Exact spiking networks."""
        return any(node.layer.population for node in bundle.network.nodes)

    def subject(self, bundle: Bundle) -> Subject:
        """See `plugins.Subject`."""
        return Subject("the same spikes slot by slot in numpy, no artifact of the target", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs numpy only."""
        return ""

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs] as spikes; measures: spikes per sample of each population."""
        spiking = run(bundle.network, q)
        spikes = {name: float(np.count_nonzero(train) / max(len(q), 1)) for name, train in spiking.spikes.items()}
        return Execution(
            spiking.outputs, spiking.values if trace else {}, "time-stepped spikes", {"spikes_per_sample": spikes}
        )
