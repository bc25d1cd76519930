"""Layers that are not read: what each is, and what to do."""

from __future__ import annotations

from ....errors import printable
from ...reading.unread_layers import normalisation
from ...reading.value import NotAnMlp
from ..graph import Layer

__all__ = ["HGQ_AS_FLOAT", "refused"]

_READ = (
    "Of Keras, edgeml reads Dense, Conv1D, Conv2D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D, "
    "pools, BatchNormalization, Normalization, Rescaling, activations of one number, Softmax at the end, Flatten, "
    "Reshape, Permute, ZeroPadding, Cropping, Add, Subtract, Average, Concatenate, Dropout and models of these in "
    "models"
)
_HGQ = (
    "python -c \"import keras, hgq.layers; m = keras.models.load_model('model.keras', compile=False); "
    "p = keras.models.clone_model(m, clone_function=lambda l: keras.layers.Dense(l.units, l.activation, name=l.name) "
    "if type(l).__name__ == 'QDense' else l); [b.set_weights([a.qkernel, a.qbias]) for a, b in zip(m.layers, p.layers) "
    "if type(a).__name__ == 'QDense']; p.save('plain.keras')\""
)
HGQ_AS_FLOAT = (
    "A model of QDense comes in by its weights alone, as HGQ2 quantized them, with activations that edgeml quantizes "
    f"itself: {_HGQ}, then pass plain.keras"
)
"""What to do about a model of HGQ2's that is not read as the integers that it states."""
_RECURRENT = {
    "LSTM": "an LSTM", "GRU": "a GRU", "SimpleRNN": "a recurrent layer", "RNN": "a recurrent layer",
    "Bidirectional": "a recurrent layer", "ConvLSTM1D": "a convolutional LSTM", "ConvLSTM2D": "a convolutional LSTM",
    "CuDNNLSTM": "an LSTM", "CuDNNGRU": "a GRU", "LSTMCell": "an LSTM", "GRUCell": "a GRU",
}  # fmt: skip
_REFUSED = {
    **{
        name: (
            f"it is {text}, whose state goes from one step to the next: edgeml has no such layer",
            "Train Conv1D, pools and Dense on windows of the samples instead",
        )
        for name, text in _RECURRENT.items()
    },
    **dict.fromkeys(
        ("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"),
        (
            "it is attention, which multiplies tensors that both depend on the input",
            "Train Conv1D or Dense over the positions (Permute, Dense, Permute: an MLP-Mixer) instead",
        ),
    ),
    "Lambda": (
        "it holds Python code, which edgeml never runs",
        "Put layers of Keras in its place (Rescaling, Normalization, Reshape), or compute it outside the model",
    ),
    **dict.fromkeys(
        ("Embedding", "TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "CategoryEncoding"),
        ("it looks up integers or text", "Do this to the samples before, and save the layers behind it as the model"),
    ),
    "ThresholdedReLU": ("it jumps at its threshold", "Train with ReLU in its place"),
}


def refused(layer: Layer, at_input: bool) -> NotAnMlp:
    """The refusal of a layer that no function reads; `at_input`: nothing but scalings stands before it."""
    if not layer.is_function and (told := normalisation(layer.kind, at_input, "BatchNormalization")):
        return NotAnMlp(f"it {told[0]}", told[1])
    if layer.kind in _REFUSED and not layer.is_function:
        return NotAnMlp(*_REFUSED[layer.kind])
    if layer.is_function:
        return NotAnMlp(f"the function keras.ops {printable(layer.kind, 60)} is not supported", _READ)
    if layer.kind.startswith("hgq>"):
        return NotAnMlp(
            f"{printable(layer.kind, 60)} is a layer of HGQ2, of which edgeml reads QDense",
            "Build the model of QDense and of Keras's own layers without weights",
        )
    if ">" in layer.kind:
        return NotAnMlp(f"{printable(layer.kind, 60)} is a class of another package, which is not supported", _READ)
    return NotAnMlp(f"layers {printable(layer.kind, 60)} are not supported", _READ)
