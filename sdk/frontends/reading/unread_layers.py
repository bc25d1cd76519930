"""Layers of other kinds of networks, by what people call them: what they are, and what to train instead."""

from __future__ import annotations

__all__ = ["ATTENTION", "RECURRENT", "normalisation", "recurrent"]

RECURRENT = {"lstm": "an LSTM", "gru": "a GRU", "rnn": "a recurrent layer (RNN)"}
"""By what the names of operators begin with, in small letters."""
_WINDOWS = "Train Conv1d, pools and Linear (in Keras Conv1D and Dense) on windows of the samples instead"
ATTENTION = (
    "is attention, which multiplies tensors that both depend on the input",
    "Train convolutions, or an MLP-Mixer (Linear over the channels and over the positions) instead",
)
"""Problem and remedy."""
_NORMALISATIONS = (
    "layer_norm", "native_layer_norm", "group_norm", "native_group_norm", "instance_norm", "rms_norm",
    "_fused_rms_norm", "LayerNormalization", "SimplifiedLayerNormalization", "GroupNormalization",
    "InstanceNormalization", "RMSNormalization", "UnitNormalization", "MeanVarianceNormalization", "LpNormalization",
)  # fmt: skip
_OF_EACH_SAMPLE = "normalises each sample by its own values"
_AT_INPUT = (
    "It stands at the input: leave it out of the model, and normalise the samples before, with the same epsilon, in "
    "the data and in front of the device's quantize function. What it multiplies by and adds stays in the model: "
    "x * weight + bias, as {norm} with these, epsilon 0, mean 0 and variance 1 computes it"
)
_WITHIN = (
    "Train {norm} in its place: its means and variances are constants of the trained model, which become part of "
    "thresholds and weights"
)


def normalisation(name: str, at_input: bool, norm: str = "BatchNorm1d") -> tuple[str, str] | None:
    """Problem and remedy of a layer that takes means or sizes over the values of each sample, by the name of its
    operator; None of others.

    Parameters
    ----------
    at_input : whether nothing but lines in single features stands before it.
    norm : what the framework calls a normalisation by constants.
    """
    if name not in _NORMALISATIONS:
        return None
    return _OF_EACH_SAMPLE, (_AT_INPUT if at_input else _WITHIN).format(norm=norm)


def recurrent(name: str) -> tuple[str, str] | None:
    """Problem and remedy of a recurrent layer or cell, by the name of its operator ("LSTM", "gru_cell"); None of
    others."""
    for begin, text in RECURRENT.items():
        if name.lower().startswith(begin):
            return f"is {text}, whose state goes from one step to the next: edgeml has no such layer", _WINDOWS
    return None
