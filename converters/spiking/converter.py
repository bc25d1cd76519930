"""`--to spiking`: a trained model as spikes, exactly (through the quantized form) or by rate coding for comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml import plugins
from edgeml.errors import EdgemlError
from edgeml.frontends.snn import Snn
from edgeml.judging.scores import answers_of, scores
from edgeml.network import Network, Threshold
from edgeml.network.spiking.measures import measure
from edgeml.network.task import VALUES
from edgeml.options import Option, read_values
from edgeml.plugins import Conversion, Progress

from .charts import accuracy_over_steps, spike_charts, steps_chart
from .exact import to_spikes
from .nir import nir_bytes
from .options import EXACT, RATE, RATE_ENCODING, SPIKING_MODEL, refuse_others
from .snn import convert_snn

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset
    from edgeml.frontends.mlp import Mlp

__all__ = ["SpikingConverter"]

_EXACT = tuple(option.name for option in EXACT)
_MEASURED = 64


def _quantized() -> plugins.Converter:
    """The converter of the quantized form, whose integers exact encodings carry."""
    return plugins.converters("quantized")


class SpikingConverter:
    """Makes spiking networks; `encoding` says how:

    unary, sar, ttfs, graded, stbif: exact, through the quantized form, whose options are taken too.
    rate: the classic approximation, with `steps`, `percentile` and `weight_bits`.

    A model that is spiking already (snnTorch, NIR) is quantized as it is; see `convert_snn` for its options.
    """

    @property
    def options(self) -> tuple[Option, ...]:
        """Those of the quantized form, of the exact encodings, of rate coding, and of spiking models."""
        return tuple(dict.fromkeys((*_quantized().options, *EXACT, *RATE, *SPIKING_MODEL)))

    def convert(
        self, mlp: Mlp | Snn, data: Dataset | None, options: Mapping[str, Any], progress: Progress
    ) -> Conversion:
        """Convert `mlp`, and write the result as .nir too if NIR has words for it. Raises InputError for a wrong
        option, or naming the layer that has no exact spikes."""
        return _with_charts(_with_nir(self._converted(mlp, data, options, progress)), data)

    def _converted(
        self, mlp: Mlp | Snn, data: Dataset | None, options: Mapping[str, Any], progress: Progress
    ) -> Conversion:
        if isinstance(mlp, Snn):
            return convert_snn(mlp, data, options, progress)
        if options.get("encoding") == RATE_ENCODING:
            from .rate import convert_rate

            refuse_others(options, RATE, f"--encoding {RATE_ENCODING}")
            return convert_rate(mlp, data, options, progress)
        refuse_others(
            options, (*EXACT, *_quantized().options), "exact encodings, which take as many slots as their values need"
        )
        passed = {key: value for key, value in options.items() if key not in _EXACT}
        chosen = read_values(EXACT, {key: value for key, value in options.items() if key in _EXACT})
        encoding, uniform = chosen["encoding"], chosen["uniform_thresholds"]
        quantized = _quantized().convert(mlp, data, passed, progress)
        network = to_spikes(quantized.network, encoding, chosen["input_encoding"], uniform=uniform)
        metrics = {**quantized.metrics, "spiking": _cost(network, quantized.network, data, encoding)}
        notes = (*quantized.notes, _pays(metrics["spiking"]))
        if uniform:
            # Another network than the quantized one: its files and figures do not speak of this one.
            metrics, note = _evened_metrics(metrics, network, quantized.network, data)
            quantized = dataclasses.replace(quantized, files={}, reference=None)
            notes = (*notes, note)
        return dataclasses.replace(quantized, network=network, metrics=metrics, notes=notes)

    def adopt(
        self, model: Any, network: Network, data: Dataset | None, options: Mapping[str, Any]
    ) -> Conversion | None:
        """A network of the quantized form as spikes; None for one that is spiking already, which is taken as it is."""
        if not network.of_kind(Threshold):
            return None
        refuse_others(options, EXACT, "a network of integers")
        chosen = read_values(EXACT, options)
        encoding, uniform = chosen["encoding"], chosen["uniform_thresholds"]
        spiking = to_spikes(network, encoding, chosen["input_encoding"], uniform=uniform)
        cost = _cost(spiking, network, data, encoding)
        return _with_charts(_with_nir(Conversion(spiking, {"spiking": cost}, {}, (_pays(cost),))), data)


def _with_nir(conversion: Conversion) -> Conversion:
    """The conversion with `nir/<name>.nir` and what its nodes do not say; a note if it cannot be written."""
    network = conversion.network
    try:
        content, lost = nir_bytes(network)
    except EdgemlError as error:
        return dataclasses.replace(conversion, notes=(*conversion.notes, f"No .nir was written: {error}"))
    path = f"nir/{network.name}.nir"
    return dataclasses.replace(
        conversion,
        files={**conversion.files, path: content},
        metrics={**conversion.metrics, "nir": {"not_said": list(lost)}},
        notes=(
            *conversion.notes,
            f"{path} keeps the exact integers; NIR has no words for {len(lost)} things.",
        ),
    )


def _with_charts(conversion: Conversion, data: Dataset | None) -> Conversion:
    """The conversion with rasters and membranes of one held-back sample (a random one without data), and the accuracy
    over time steps if there are labels and a readout over time."""
    network = conversion.network
    q = _inputs(network, data)
    charts = spike_charts(network, q)
    if data is not None and data.y_test is not None and network.task != VALUES:
        curve = accuracy_over_steps(network, q, data.y_test[: len(q)])
        if curve:
            charts.append(steps_chart({"accuracy, integer": curve}, range(1, len(curve) + 1)))
    return dataclasses.replace(conversion, metrics={**conversion.metrics, "charts": charts})


def _inputs(network: Network, data: Dataset | None) -> npt.NDArray[np.int32]:
    """Integers of held-back samples; random ones without data."""
    quantizer = network.quantizer
    if data is not None:
        return quantizer.quantize(data.x_test[:_MEASURED])
    generator = np.random.default_rng(0)
    shape = (_MEASURED, network.input_size)
    return generator.integers(quantizer.low, quantizer.high, shape, endpoint=True).astype(np.int32)


def _evened_metrics(
    metrics: Mapping[str, Any], network: Network, quantized: Network, data: Dataset | None
) -> tuple[dict[str, Any], str]:
    """Metrics of the network with one threshold per neuron, beside those of the one it was made from."""
    found = dict(metrics)
    if data is None:
        return found, "One threshold per neuron changed the integers; without data the loss is not known."
    ours, theirs = answers_of(network, data.x_test), answers_of(quantized, data.x_test)
    if data.y_test is not None:
        for name, values in scores(network.task, data.y_test, {"quantized": theirs, "integer": ours}).items():
            before = {key: value for key, value in found.get(name, {}).items() if key == "float"}
            found[name] = {**before, **values}
    if network.task == VALUES:
        return found, "One threshold per neuron changed the integers."
    same = float(np.mean(ours == theirs))
    found["uniform_thresholds"] = {"agreement_with_quantized": same}
    return found, f"One threshold per neuron changed the integers: {same:.2%} of answers equal the quantized form's."


def _cost(network: Network, quantized: Network, data: Dataset | None, encoding: str) -> dict[str, Any]:
    """Measures of the spiking form beside those of the quantized one, on held-back samples (random ones without)."""
    q = _inputs(network, data)
    return {"encoding": encoding, "measures": measure(network, q), "quantized_measures": measure(quantized, q)}


def _pays(cost: Mapping[str, Any]) -> str:
    """A sentence that says whether the spikes cost less than the quantized form."""
    spiking, quantized = cost["measures"]["total"]["energy_pj"], cost["quantized_measures"]["total"]["energy_pj"]
    words = "less" if spiking < quantized else "more"
    return (
        f"By the 45 nm table, the spikes cost {spiking / 1000:.2f} nJ per inference, {words} than the quantized form's "
        f"{quantized / 1000:.2f} nJ: an estimate from integer operations and bytes moved."
    )
