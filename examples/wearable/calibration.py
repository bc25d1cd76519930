"""A watch that learns on its wearer: one person left out in turn, 2 bits, all of it in integers as on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.converters.quantized.converter import QuantizedConverter
from edgeml.data.dataset import as_dataset
from edgeml.frontends import load_model
from edgeml.network import Network
from edgeml.network.adaptation.state_machine import AdaptingNetwork
from edgeml.terminal import Terminal

from .recordings import load_recordings, split_by_person
from .training import train_mlp
from .windows import LENGTH, STATISTICS, STEP, features, windows

__all__ = ["Wearer", "calibrate", "drifted", "figures", "wearer"]

PEOPLE = tuple(range(1, 11))
_SHARE = 0.3
"""Of each recording, the beginning that the watch is calibrated with; what is tested comes behind."""
_AXES = 6
_LEVELS = ("mean", "low", "high")
_SHIFT = 20.0
_DRAWS = 3
_EPOCHS = 20
_FEW, _MANY = 1, 10

_Windows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Wearer:
    """A person whom the network has not seen: windows as input integers with their classes.

    Parameters
    ----------
    network : with what adapts, trained on all others. source : what it was trained with.
    calibration, testing : of this person, the beginning of each recording and what comes behind it.
    """

    person: int
    network: Network
    source: _Windows
    calibration: _Windows
    testing: _Windows


def wearer(person: int, bits: int, epochs: int, quantized_epochs: int, seed: int) -> Wearer:
    """Train on all others, and convert with all that adapts."""
    training, own = split_by_person(load_recordings(), (person,))
    (raw, exercises), (raw_own, exercises_own) = windows(training), windows(own)
    labels = sorted(set(exercises.tolist()))
    y, y_own = (np.searchsorted(labels, each).astype(np.int64) for each in (exercises, exercises_own))
    x = features(raw)
    data = as_dataset({"x": x, "y": y, "x_test": features(raw_own), "y_test": y_own, "labels": np.array(labels)})
    model = load_model(train_mlp(x, y, len(labels), epochs, seed), example=x[:2], name="wearable")
    options = {"bits": bits, "epochs": quantized_epochs, "seed": seed, "layer_bits": "first=4/4"}
    options["adapt"] = "offsets,last-layer"
    conversion = QuantizedConverter().convert(model, data, options, lambda *_: None)
    assert conversion.attach is not None
    network = conversion.attach(conversion.network)
    q = network.quantizer.quantize(data.x_test)
    lengths = [1 + (len(recording.samples) - LENGTH) // STEP for recording in own]
    starts = np.cumsum([0, *lengths[:-1]])
    cuts = [max(2, int(length * _SHARE)) for length in lengths]
    # One window between the two halves is left out: it shares samples with both.
    ahead = np.concatenate([np.arange(start, start + cut) for start, cut in zip(starts, cuts, strict=True)])
    behind = np.concatenate(
        [np.arange(start + cut + 1, start + length) for start, cut, length in zip(starts, cuts, lengths, strict=True)]
    )
    source = network.quantizer.quantize(data.x), y
    return Wearer(person, network, source, (q[ahead], y_own[ahead]), (q[behind], y_own[behind]))


def drifted(network: Network, q: npt.NDArray[np.int32], seed: int = 0) -> npt.NDArray[np.int32]:
    """Windows of a sensor whose offsets have moved: each axis by a draw of deviation 20, in input integers (256)."""
    moved = np.random.RandomState(seed).randn(_AXES) * _SHIFT
    shifts = np.concatenate([moved if statistic in _LEVELS else np.zeros(_AXES) for statistic in STATISTICS])
    return np.clip(np.rint(q + shifts), network.quantizer.low, network.quantizer.high).astype(np.int32)


def figures(each: Wearer) -> dict[str, dict[str, float]]:
    """Shares of right answers for one person, by sensor and by what was adapted."""
    found: dict[str, dict[str, float]] = {}
    for sensor, change in _SENSORS.items():
        calibration = change(each.network, each.calibration[0]), each.calibration[1]
        testing = change(each.network, each.testing[0]), each.testing[1]
        found[sensor] = _adapted(each, calibration, testing)
    return found


_SENSORS: dict[str, Callable[[Network, npt.NDArray[np.int32]], npt.NDArray[np.int32]]] = {
    "as it was": lambda network, q: q,
    "offset": drifted,
}


def _right(adapting: AdaptingNetwork, tested: _Windows) -> float:
    return float(np.mean(adapting.predict(tested[0]) == tested[1]))


def _adapted(each: Wearer, calibration: _Windows, testing: _Windows) -> dict[str, float]:
    shipped, without = each.network.adapting(), _without_replay(each.network)
    source = _right(shipped, each.source)
    shifted = _shifted(each.network.adapting(), calibration[0])
    found = {"as shipped": _right(shipped, testing), "offsets, no labels": _right(shifted, testing)}
    for name, network, count, both in (
        (f"last layer, {_FEW} window a class", without, _FEW, False),
        (f"last layer, {_MANY} windows a class", without, _MANY, False),
        (f"last layer, {_MANY} windows a class, replay", each.network, _MANY, False),
        (f"offsets, then last layer, {_MANY} windows, replay", each.network, _MANY, True),
    ):
        right, kept = [], []
        for draw in range(_DRAWS):
            adapting = network.adapting()
            if both:
                _shifted(adapting, calibration[0])
            _taught(adapting, calibration, count, draw)
            right.append(_right(adapting, testing))
            kept.append(_right(adapting, each.source) / source)
        found[name] = float(np.mean(right))
        found[f"{name}: kept"] = float(np.mean(kept))
    return found


def _without_replay(network: Network) -> Network:
    adaptation = network.adaptation
    assert adaptation is not None
    assert adaptation.last_layer is not None
    last = adaptation.last_layer
    last = replace(last, replay_levels=last.replay_levels[:0], replay_classes=last.replay_classes[:0])
    return replace(network, adaptation=replace(adaptation, last_layer=last))


def _shifted(adapting: AdaptingNetwork, q: npt.NDArray[np.int32]) -> AdaptingNetwork:
    """Calibrated with windows spread over those that there are, the same for each layer."""
    wanted = adapting.windows_wanted // 2
    chosen = q[np.linspace(0, len(q) - 1, wanted).round().astype(np.intp)]
    while adapting.calibrate(chosen):
        pass
    return adapting


def _taught(adapting: AdaptingNetwork, windows_: _Windows, count: int, draw: int) -> None:
    """Learned from `count` windows of each class, drawn, in a drawn order; then rehearsed."""
    generator, (q, y) = np.random.default_rng(draw), windows_
    rows = np.concatenate([generator.permutation(np.flatnonzero(y == each))[:count] for each in np.unique(y)])
    for row in generator.permutation(rows):
        adapting.learn(q[row], int(y[row]))
    for _ in range(_EPOCHS):
        if not adapting.rehearse():
            break


def calibrate(
    people: Sequence[int], bits: int, epochs: int, quantized_epochs: int, seed: int, folder: Path, terminal: Terminal
) -> dict[str, Any]:
    """Every one of `people` left out in turn: prints the mean and the worst of them, and returns it."""
    by_person = {}
    state = 0
    for person in people:
        terminal.remark(f"person {person}: trained on the others")
        each = wearer(person, bits, epochs, quantized_epochs, seed)
        by_person[person] = figures(each)
        state = len(each.network.adapting().state())
    rows = list(next(iter(by_person.values()))["offset"])
    summary = {
        sensor: {row: _summary([each[sensor][row] for each in by_person.values()]) for row in rows}
        for sensor in _SENSORS
    }
    document = {"people": list(people), "saved_state_bytes": state, "summary": summary, "by_person": by_person}
    folder.mkdir(parents=True, exist_ok=True)
    terminal.result(document, lambda: _show(summary, state, len(people), terminal))
    return document


def _summary(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "worst": float(min(values))}


def _show(summary: dict[str, Any], state: int, people: int, terminal: Terminal) -> None:
    shown = [row for row in summary["offset"] if not row.endswith(": kept")]
    table: list[list[object]] = []
    for row in shown:
        accuracies = [f"{summary[s][row]['mean']:.1%} / {summary[s][row]['worst']:.1%}" for s in _SENSORS]
        kept = summary["as it was"].get(f"{row}: kept")
        table.append([row, *accuracies, f"{kept['mean']:.1%} / {kept['worst']:.1%}" if kept else ""])
    columns = ["adapted (mean / worst person)", *(f"sensor {sensor}" for sensor in _SENSORS), "of the source kept"]
    terminal.table(f"on {people} people, each left out in turn", columns, table)
    terminal.plain(f"a saved state takes {state:,} bytes")
