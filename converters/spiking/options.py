"""The options of the spiking form: declared for each of its three uses.

Exact encodings (the default) take `EXACT` and all options of the quantized form; `--encoding rate` takes `RATE`; a
model that is spiking already takes `SPIKING_MODEL`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgeml.errors import InputError
from edgeml.frontends.snn import READOUTS
from edgeml.network.spiking.encodings import ENCODINGS
from edgeml.network.spiking.input_encoders import ENCODERS
from edgeml.options import Choice, Flag, Option, Real, Whole

from .chip_models import CHIP_MODELS

__all__ = ["EXACT", "RATE", "RATE_ENCODING", "SPIKING_MODEL", "refuse_others"]

RATE_ENCODING = "rate"
"""The encoding that only approximates."""

_ENCODING = Option(
    "encoding",
    Choice((*ENCODINGS, RATE_ENCODING)),
    "How spikes carry values: all are exact but rate.",
    default="unary",
    explored=tuple(ENCODINGS),
)
EXACT = (
    _ENCODING,
    Option("input_encoding", Choice(("direct", *ENCODINGS)), "How spikes carry the input.", otherwise="as --encoding"),
    Option(
        "uniform_thresholds",
        Flag(),
        "One threshold for each neuron, for chips without schedules of thresholds; changes integers.",
        default=False,
    ),
)
"""Of the exact encodings, beside those of the quantized form."""


def _of(group: str, *options: Option) -> tuple[Option, ...]:
    return tuple(replace(option, group=group) for option in options)


RATE = (
    _ENCODING,
    *_of(
        "--encoding rate",
        Option("steps", Whole(1, 4096), "Time steps.", default=32),
        Option("percentile", Real(50, 100), "Share of a layer's values, in percent, below the full rate.", 99.9),
        Option("weight_bits", Whole(2, 8), "Bits of weights.", default=8),
    ),
)
"""Of rate coding."""

SPIKING_MODEL = (
    _ENCODING,
    *_of(
        "spiking models",
        Option(
            "steps",
            Whole(1, 4096),
            "Time steps.",
            otherwise="those of the samples or of the model's forward, else 32, or as many as the encoder needs",
        ),
        Option(
            "input_encoder",
            Choice(("events", *ENCODERS)),
            "How samples become spikes.",
            otherwise="events if samples hold time steps, else direct",
        ),
        Option("input_bits", Whole(1, 8), "Bits of the input.", otherwise="8; 4 for unary and ttfs"),
        Option("weight_bits", Whole(2, 8), "Bits of weights.", default=8),
        Option("decay_bits", Whole(1, 16), "Bits of the factors by which membranes decay.", default=12),
        Option("threshold_bits", Whole(2, 31), "Bits of thresholds.", default=31),
        Option(
            "readout",
            Choice(READOUTS),
            "What is read of the last layer.",
            otherwise="what the model's own forward gives",
        ),
        Option("model", Choice(("snntorch", *CHIP_MODELS)), "Whose arithmetic the neurons have.", default="snntorch"),
        Option("change", Whole(1, 255), "Least change of the input that makes an event, for delta.", default=1),
        Option("seed", Whole(1, 2**31 - 1), "Random draws and order of samples.", default=1),
        Option("epochs", Whole(0, 10_000), "Passes of fine-tuning over the samples.", default=0),
        Option("learning_rate", Real(0, 1, open_low=True), "Step of the fine-tuning.", default=1e-3),
        Option("batch_size", Whole(1, 2**16), "Samples of a step of the fine-tuning.", default=64),
    ),
)
"""Of models that are spiking already."""


def refuse_others(given: Mapping[str, Any], taken: tuple[Option, ...], use: str) -> None:
    """InputError for the first option given, by name, that this use of the form does not take."""
    names = dict.fromkeys(option.name for option in taken)
    if other := sorted(set(given) - set(names)):
        raise InputError(f"option {other[0]}", f"has no meaning for {use}", f"It takes {', '.join(names)}")
