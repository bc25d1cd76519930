"""Layers of other kinds of networks, by what people call them: what they are, and what to train instead."""

from __future__ import annotations

__all__ = ["ATTENTION", "RECURRENT", "recurrent"]

RECURRENT = {"lstm": "an LSTM", "gru": "a GRU", "rnn": "a recurrent layer (RNN)"}
"""By what the names of operators begin with, in small letters."""
_WINDOWS = "Train Conv1d, pools and Linear (in Keras Conv1D and Dense) on windows of the samples instead"
ATTENTION = (
    "is attention, which multiplies tensors that both depend on the input",
    "Train convolutions, or an MLP-Mixer (Linear over the channels and over the positions) instead",
)
"""Problem and remedy."""


def recurrent(name: str) -> tuple[str, str] | None:
    """Problem and remedy of a recurrent layer or cell, by the name of its operator ("LSTM", "gru_cell"); None of
    others."""
    for begin, text in RECURRENT.items():
        if name.lower().startswith(begin):
            return f"is {text}, whose state goes from one step to the next: edgeml has no such layer", _WINDOWS
    return None
