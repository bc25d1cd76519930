"""Files that look like models and cannot be read: what each is, and what to give instead."""

from __future__ import annotations

from ..errors import InputError, printable
from .format import Request

__all__ = ["SAVED_MODEL", "refuse"]

_EXPORT = (
    "Export the model itself: torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2'), "
    "or save its weights with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors') and pass "
    "module.py:factory with these weights"
)
_ESTIMATOR = (
    "Of scikit-learn, pass the fitted MLP itself from Python, or write it as ONNX with skl2onnx.to_onnx(model, x[:1])"
)
SAVED_MODEL = "saved_model.pb"
"""What a folder of TensorFlow's holds."""
_TENSORFLOW = (
    "If Keras 2 wrote it, save it as .keras, where TensorFlow 2.15 is installed: "
    "python -c \"import tensorflow as tf; tf.keras.models.load_model('{folder}').save('model.keras')\". "
    "Else write it as ONNX (pip install tensorflow tf2onnx): "
    "python -m tf2onnx.convert --saved-model {folder} --output model.onnx. "
    "Or convert it to int8 by tf.lite.TFLiteConverter.from_saved_model('{folder}') with representative samples, and "
    "pass the .tflite file"
)

_JAX = (
    "Write the model as ONNX (pip install jax2onnx): jax2onnx.to_onnx(model, [('B', FEATURES)], return_mode='file', "
    "output_path='model.onnx')"
)

_REFUSED = {
    (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib", ".tar"): (
        "is a pickle or checkpoint: reading one can run code, and a state dict does not say what is computed with it",
        f"{_EXPORT}. {_ESTIMATOR}",
    ),
    (".safetensors",): (
        "holds weights only, no model that says how they are computed with",
        "Pass module.py:factory as the model, a function that makes it, and this file as its weights",
    ),
    (".py",): (
        "is Python; which function makes the model?",
        "Pass module.py:factory, where factory() returns the torch.nn.Module",
    ),
    (".pb",): ("is a TensorFlow model", _TENSORFLOW),
    (".msgpack", ".orbax", ".eqx"): (
        "holds weights of JAX only, no model that says how they are computed with",
        _JAX,
    ),
    (".json", ".txt", ".csv", ".npz", ".npy"): ("is data, no model", "Pass data with --data"),
}


def refuse(request: Request) -> None:
    """InputError if the ending of a path is one of these, or it is TensorFlow's folder; asked if no reader takes it."""
    path = request.source.lower() if request.is_path else ""
    if request.is_path and (request.path / SAVED_MODEL).is_file():
        folder = printable(request.source)
        raise InputError(request.where, "is a SavedModel of TensorFlow", _TENSORFLOW.replace("{folder}", folder))
    for group, (problem, remedy) in _REFUSED.items():
        if path.endswith(group):
            folder = printable(request.path.parent) if request.path.name == SAVED_MODEL else "FOLDER"
            raise InputError(request.where, problem, remedy.replace("{folder}", folder))
