"""Who takes part, with which settings on which data set: an entry is one training, and gives one or more circuits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CONTESTANTS", "LEFT_OUT", "Contestant", "settings_of"]

LEFT_OUT = {
    "torch-dwn": "its tables train on CUDA alone (1.1.1), so it had no chance here",
    "conifer": "its circuits need a vendor's tools; boosted trees are written as TreeLUT builds them instead",
}
"""Rivals that had no fair chance, and why: they are in no table."""


@dataclass(frozen=True)
class Contestant:
    """One way to make a circuit.

    Parameters
    ----------
    name : in tables, files and the picture.
    script : of `rivals/`, run in the rivals' environment; "" for ours.
    colour : in the picture.
    short : whether its circuits are counted by the shorter script of ABC.
    """

    name: str
    script: str
    colour: str
    short: bool = False


CONTESTANTS = (
    Contestant("edgeml dense 2-bit", "", "#888888"),
    Contestant("edgeml fan-in", "", "#1f77b4"),
    Contestant("edgeml logic", "", "#d62728"),
    Contestant("HGQ2 + da4ml", "hgq_network.py", "#2ca02c", short=True),
    Contestant("torchlogix", "logic_network.py", "#9467bd"),
    Contestant("boosted trees", "boosted_trees.py", "#ff7f0e"),
)

_OUTPUTS = {"digits": 10, "cancer": 2, "mnist": 10, "can": 6}
_HIDDEN = {"digits": [32, 16], "cancer": [16, 8], "mnist": [32, 32], "can": [32, 16]}
_BATCH = {"digits": 143, "cancer": 194, "mnist": 340, "can": 500}


def _dense(data_set: str) -> list[dict[str, Any]]:
    """Ours, plain: the least a user types. Bits of the bus where bytes mean nothing as numbers (M1 of CAN)."""
    options: dict[str, Any] = {"bits": 2}
    if data_set == "can":
        options["encode"] = "all=bits"
    return [{"hidden": hidden, "float_steps": 1500, "options": options} for hidden in ([16], _HIDDEN[data_set])]


def _fan_in(data_set: str) -> list[dict[str, Any]]:
    """Neurons of few inputs: tables of 1-bit activations, and of 2-bit ones under a dense last layer. On breast cancer
    one neuron of few bits, whose weights are shifts."""
    if data_set == "cancer":
        shifts = {"encode": "all=bits", "weight_range": "powers", "weight_bits": 5, "epochs": 0}
        return [
            {"hidden": [], "float_steps": 0, "features": features, "options": {**shifts, "fan_in": bits}}
            for features, bits in ((16, "70"), (20, "80"))
        ]
    common: dict[str, Any] = {"bits": 2, **({"encode": "all=bits"} if data_set == "can" else {"input_bits": 2})}
    designs: list[tuple[list[int], dict[str, Any]]] = [
        ([128, 64], {"act_bits": 1, "fan_in": "6,first=3,last=12"}),
        ([256, 128], {"act_bits": 1, "fan_in": "6,first=3,last=24"}),
        ([256, 128], {"fan_in": "3,last=all"}),
    ]
    return [{"hidden": hidden, "float_steps": 1500, "options": {**common, **own}} for hidden, own in designs]


_FUNCTIONS = {
    "digits": ("90", "160", "240", "300", "400"),
    "cancer": ("12", "24", "48", "96"),
    "mnist": ("100", "300", "500", "800"),
    "can": ("60", "120", "240", "420"),
}
_CAN = ",".join(
    f"{15 * frame}-{15 * frame + 9}=bits,{15 * frame + 10}-{15 * frame + 13}=thermometer:7,{15 * frame + 14}=bits"
    for frame in range(4)
)
"""Of a frame: identifier, payload and what is unusual are bits, the other features of the bus's state are numbers."""


_ENCODINGS = {"cancer": "all=thermometer:7", "can": _CAN}
_TEACHER: dict[str, dict[str, Any]] = {
    "cancer": {"hidden": [], "float_steps": 1000, "upper_bits": 4},
    "mnist": {"hidden": [256, 128]},
    "can": {"bits_apart": True},
}
"""The float model, where it is not two layers that see the features as they are."""
_LOGIC_EPOCHS = {"cancer": 400, "mnist": 75, "can": 10}
"""1,200 to 2,000 steps; on digits training stops by itself."""


def _logic(data_set: str) -> list[dict[str, Any]]:
    """Boolean functions by distillation."""
    common: dict[str, Any] = {"neurons": "logic"}
    if data_set in _ENCODINGS:
        common["encode"] = _ENCODINGS[data_set]
    if data_set in _LOGIC_EPOCHS:
        common["epochs"] = _LOGIC_EPOCHS[data_set]
    teacher = {"hidden": [64, 32], "float_steps": 1500, **_TEACHER.get(data_set, {})}
    return [{**teacher, "options": {**common, "logic_widths": widths}} for widths in _FUNCTIONS[data_set]]


_EPOCHS = {"digits": 20_000, "cancer": 20_000, "mnist": 5_000, "can": 1_000}
"""Of HGQ2: at least 40,000 steps each."""


def _hgq(data_set: str) -> list[dict[str, Any]]:
    """One run, which leaves several circuits of its front."""
    return [
        {
            "batch": _BATCH[data_set],
            "learning_rate": 5e-3,
            "first_beta": 5e-7,
            "last_beta": 1e-3,
            "networks": 4,
            "bits_apart": data_set == "can",
            "least": 0.08,
            "hidden": _HIDDEN[data_set],
            "tables": False,
            "epochs": _EPOCHS[data_set],
        }
    ]


_GROUPS = {"digits": (5, 10, 20), "cancer": (6, 10, 20), "mnist": (27, 50), "can": (10, 20, 40)}
"""Functions for a class; its first layer must be able to take every input."""


def _torchlogix(data_set: str) -> list[dict[str, Any]]:
    """6-input tables, wiring learned in all layers."""
    common = {
        "bits_apart": data_set == "can",
        "thresholds": 3,
        "batch": 128,
        "learning_rate": 0.02,
        "parametrization": "light",
        "sampling": "soft",
        "candidates": 12,
    }
    outputs = _OUTPUTS[data_set]
    return [
        {**common, "widths": [each * 3 // 2 * outputs, each * outputs], "steps": 3000, "tau": max(each / 4, 2)}
        for each in _GROUPS[data_set]
    ]


def _trees(data_set: str) -> list[dict[str, Any]]:
    """TreeLUT's sizes and smaller ones."""
    return [
        {"rounds": rounds, "depth": depth, "leaf_bits": 3, "learning_rate": rate}
        for rounds, depth, rate in ((3, 3, 0.8), (6, 4, 0.8), (12, 4, 0.5), (30, 5, 0.3))
    ]


_SETTINGS = dict(zip(CONTESTANTS, (_dense, _fan_in, _logic, _hgq, _torchlogix, _trees), strict=True))


def settings_of(contestant: Contestant, data_set: str, *, quick: bool) -> list[dict[str, Any]]:
    """The trainings of a contestant on a data set; with `quick` one, and a short one."""
    found = _SETTINGS[contestant](data_set)
    if not quick:
        return found
    short = {"epochs": 40, "steps": 200, "float_steps": 300}
    first = {key: min(value, short[key]) if key in short else value for key, value in found[0].items()}
    if "options" in first:
        first["options"] = {**first["options"], "epochs": 2}
    return [first]
