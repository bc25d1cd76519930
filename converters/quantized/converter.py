"""From a float MLP to the integer network of the quantized form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.allocation.weight_range import FULL_RANGE_SAMPLES
from edgeml.equalization import equalize
from edgeml.errors import InputError
from edgeml.frontends.float_operators.operator import Role
from edgeml.frontends.mlp import Mlp
from edgeml.input_encoding import encode_input
from edgeml.judging.task import require_fitting, stated, tail_note
from edgeml.network.layer import added_kinds
from edgeml.network.task import CLASSES
from edgeml.plugins import Conversion, Progress

from .adapting import attach
from .edge_tables import Grid, edges_as_tables, has_edges
from .extract import extract
from .fan_in import untrained_note
from .fold import FoldedMlp, fold, refuse_unsupported
from .freeze import freeze
from .model_file import BREVITAS_FILE, to_bytes
from .options import OPTIONS, Options, read_options
from .placement import Placement
from .quantizer_placement import place_quantizers

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

    from .input_quantizer import QuantizedInput
    from .parameters import Parameters

__all__ = ["QuantizedConverter"]

_FEWEST_BITS_WITHOUT_TRAINING = 4
_SYNTHETIC_SAMPLES = 1024
_BATCH = 4096


class QuantizedConverter:
    """Quantizes an MLP to 1 to 8 bits, by training (Brevitas's arithmetic) or by calibration alone.

    Training distils the float model into the quantized one; labels are used where there are any. Calibration takes
    scales and biases of least squared error. Either way the result is frozen into integers and constant scales, given
    to Brevitas in float64, and turned into thresholds that are proved to give the same integers.
    """

    left_out_note = ""
    options = OPTIONS

    @property
    def layer_kinds(self) -> Collection[str]:
        """The kinds of layer that a network of this form may hold: those that packages add are on integers too."""
        own = {
            "input_quantizer",
            "encode",
            "logic",
            "dense",
            "tables",
            "threshold",
            "add",
            "lookup",
            "shared",
            "maximum",
            "concat",
            "multiply",
        }
        return {*own, *added_kinds()}

    def convert(self, mlp: Mlp, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
        """Convert `mlp`; the same arguments give the same bytes.

        Raises
        ------
        InputError : an option is wrong, data is missing or does not fit, or the model holds a sigmoid or tanh.
        CheckFailed : a threshold cannot be proved, or Brevitas gives other integers (never expected).
        MissingTool : CUDA is asked for and absent.
        """
        chosen = read_options(options)
        mlp, dropped = mlp.without_tail(), tail_note(mlp)
        attached = attach(chosen.adapt, chosen.replay, data)
        if options.get("replay") is not None and "last-layer" not in chosen.adapt:
            raise InputError("option replay", "is of --adapt last-layer alone", "Add that, or leave this out")
        if chosen.neurons == "logic":
            if attached is not None:
                raise InputError("option adapt", "Boolean functions do not adapt", "Use --neurons linear")
            return _logic(mlp, data, chosen, options, progress, dropped)
        for name in ("logic_widths", "logic_inputs", "logic_weights"):
            if options.get(name) is not None:
                raise InputError(f"option {name}", "is of --neurons logic alone", "Add that, or leave this out")
        if not has_edges(mlp):
            refuse_unsupported(mlp)
        samples = _samples(mlp, data, chosen)
        from .torch_settings import reproducible, torch_device

        torch_device(chosen.device)
        with reproducible(chosen.device):
            own, notes = mlp, dropped
            if chosen.encode:
                own, note = encode_input(mlp, np.asarray(samples, np.float64), chosen.encode, chosen.input_bits)
                notes = (*dropped, note) if note else dropped
            grids: Mapping[str, Grid] = {}
            if has_edges(own):
                tabled = edges_as_tables(own, samples, chosen)
                own, grids = tabled.mlp, tabled.grids
            conversion = _convert(mlp, fold(own), grids, data, samples, chosen, progress)
        return replace(conversion, notes=(*notes, *conversion.notes), attach=attached)


def _logic(
    mlp: Mlp,
    data: Dataset | None,
    chosen: Options,
    given: Mapping[str, Any],
    progress: Progress,
    notes: tuple[str, ...],
) -> Conversion:
    """Boolean functions in the place of neurons that weigh, see `logic`."""
    from .logic import convert_to_logic
    from .torch_settings import reproducible, torch_device

    torch_device(chosen.device)
    if data is not None:
        _samples(mlp, data, chosen)
    with reproducible(chosen.device):
        conversion = convert_to_logic(mlp, data, chosen, given, progress)
    return replace(conversion, notes=(*notes, *conversion.notes))


def _convert(
    mlp: Mlp,
    folded: FoldedMlp,
    grids: Mapping[str, Grid],
    data: Dataset | None,
    samples: npt.NDArray[Any],
    options: Options,
    progress: Progress,
) -> Conversion:
    from .calibrate import calibrate, float_trace, thinned_samples
    from .evaluation import evaluate
    from .input_quantizer import quantize_input
    from .reference import float_reference

    gathered = [each.positions * each.weight.shape[1] for each in folded.mlp.linears.values()]
    thinned = thinned_samples(samples, max(*mlp.sizes.values(), *folded.mlp.sizes.values(), *gathered))
    folded = replace(folded, mlp=equalize(folded.mlp, folded.normalise(thinned)).mlp)
    if options.narrow is None and len(samples) < FULL_RANGE_SAMPLES:
        options = replace(options, narrow=True)
    quantized = quantize_input(folded, thinned, options)
    normal = quantized.folded.normalise(thinned)
    placement = place_quantizers(quantized.folded.mlp, options, _labels(mlp, data))
    if any(node.operator.role is Role.FUNCTION for node in quantized.folded.mlp.nodes):
        from .level_offsets import with_offsets

        placement = with_offsets(placement, float_trace(quantized.folded.mlp, normal))
    epochs = _epochs(placement, data, options, bool(grids))
    training = bool(epochs) and data is not None
    parameters = calibrate(placement, quantized.input, quantized.folded.mlp, normal, thinned, select=not training)
    if training and data is not None:
        parameters = _trained(mlp, placement, quantized, parameters, data, options, epochs, progress)
    model = freeze(placement, parameters)
    network = stated(extract(model), mlp).with_origins(_origins(placement, quantized.folded.mlp))
    notes = [quantized.note, *placement.notes]
    metrics = {"epochs": epochs, **evaluate(mlp, model, network, data)}
    reference = float_reference(mlp, quantized.folded, placement, model, network, grids)
    if not training:
        limited = {name: each for name, each in placement.linears.items() if each.fan_in}
        notes.append(untrained_note({name: (each.linear.weight, each.fan_in) for name, each in limited.items()}))
    notes += _notes(
        placement, data, epochs, metrics, "more bits usually win" if grids else "training (--epochs) usually wins"
    )
    return Conversion(network, metrics, {BREVITAS_FILE: to_bytes(model)}, tuple(filter(None, notes)), reference)


def _origins(placement: Placement, mlp: Mlp) -> dict[str, str]:
    """Where the layers come from in the user's model, by name; `mlp` is the one that was planned."""
    known = {node.name: node.origin for node in mlp.nodes}
    return {node.name: known.get(node.source, "") for node in placement.nodes}


def _samples(mlp: Mlp, data: Dataset | None, options: Options) -> npt.NDArray[Any]:
    """Samples to calibrate with: the data's, or random ones from the range that the user gives."""
    if data is not None:
        if data.x.shape[1] != mlp.input_size:
            raise InputError("data", f"has {data.x.shape[1]} features per sample; the model takes {mlp.input_size}")
        require_fitting(mlp, data)
        return data.x
    if options.input_range is None:
        raise InputError(
            "data",
            "is needed: quantization must know the values that inputs and activations take",
            "Pass some samples with --data (x alone is enough; labels are optional), or, for a rough conversion "
            "without training, the range of the inputs as option input_range=low,high",
        )
    low, high = options.input_range
    generator = np.random.default_rng(options.seed)
    return generator.uniform(low, high, (_SYNTHETIC_SAMPLES, mlp.input_size))


def _labels(mlp: Mlp, data: Dataset | None) -> tuple[str, ...]:
    return mlp.labels or (data.labels if data is not None else ())


def _epochs(placement: Placement, data: Dataset | None, options: Options, tables: bool) -> int:
    """Passes over the data: what the user says; else none where all is 8 bit and takes all its inputs, and enough
    where it is not; of edge functions that became `tables` none from 4 bits on, where training was not seen to win
    anything."""
    if data is None:
        if options.epochs:
            raise InputError("option epochs", "training needs data", "Pass samples with --data")
        if min(placement.bits) < _FEWEST_BITS_WITHOUT_TRAINING:
            raise InputError(
                "data",
                f"is needed below {_FEWEST_BITS_WITHOUT_TRAINING} bits: such networks must be trained",
                "Pass samples with --data, or use --bits 8",
            )
        return 0
    if options.epochs is not None:
        return options.epochs
    limited = any(placed.fan_in for placed in placement.linears.values())
    if not limited and min(placement.bits) >= (_FEWEST_BITS_WITHOUT_TRAINING if tables else 8):
        return 0
    from .training import default_epochs

    weights = sum(placed.linear.weight.size for placed in placement.linears.values())
    return default_epochs(len(data.x), options.batch_size, weights)


def _trained(
    mlp: Mlp,
    placement: Placement,
    quantized: QuantizedInput,
    parameters: Parameters,
    data: Dataset,
    options: Options,
    epochs: int,
    progress: Progress,
) -> Parameters:
    from .calibrate import float_outputs, input_integers
    from .training import Lesson, train

    folded = quantized.folded
    small = np.int8 if quantized.input.signed else np.uint8
    integers = np.concatenate(
        [
            input_integers(quantized.input, part).astype(small)
            for part in np.array_split(data.x, len(data.x) // 4096 + 1)
        ]
    )
    answers = np.concatenate(
        [
            float_outputs(mlp, part) if has_edges(mlp) else float_outputs(folded.mlp, folded.normalise(part))
            for part in np.array_split(data.x, len(data.x) // 4096 + 1)
        ]
    )
    kind = mlp.task
    if kind == CLASSES and not mlp.final and data.y is None:
        kind = ""
    lesson = Lesson(integers, answers, data.y, kind, mlp.threshold)
    return train(placement, parameters, lesson, options, epochs, progress)


def _notes(
    placement: Placement, data: Dataset | None, epochs: int, metrics: Mapping[str, Any], remedy: str
) -> list[str]:
    notes = []
    if data is None:
        notes.append(
            "Calibrated on random inputs from the given range, and on no data: its accuracy is not known. "
            "Pass samples with --data to calibrate on real activations."
        )
    elif epochs == 0 and min(placement.bits) < 8:
        cost = f" {remedy[0].upper()}{remedy[1:]} back most of what that costs."
        if "accuracy" in metrics:
            lost = 100 * (metrics["accuracy"]["float"] - metrics["accuracy"]["integer"])
            won = f" It costs {lost:.2f} points of accuracy here; {remedy} most back."
            cost = won if lost > 0 else " It costs no accuracy here."
        notes.append(f"Calibrated without training, at {min(placement.bits)} bits.{cost}")
    return notes
