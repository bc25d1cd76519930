"""Files that look like models and cannot be read: what each is, and what to give instead."""

from __future__ import annotations

from ..errors import InputError, printable
from .format import Request

__all__ = ["refuse"]

_EXPORT = (
    "Export the model itself: torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2'), "
    "or save its weights with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors') and pass "
    "module.py:factory with these weights"
)
_ESTIMATOR = (
    "Of scikit-learn, pass the fitted MLP itself from Python, or write it as ONNX with skl2onnx.to_onnx(model, x[:1])"
)
_TENSORFLOW = (
    "Where TensorFlow is installed, convert it to int8 by tf.lite.TFLiteConverter.from_saved_model(FOLDER) with "
    "representative samples, and pass the .tflite file"
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
    (".json", ".txt", ".csv", ".npz", ".npy"): ("is data, no model", "Pass data with --data"),
}


def refuse(request: Request) -> None:
    """InputError if the ending of a path is one of these; asked if no reader takes the path."""
    path = request.source.lower() if request.is_path else ""
    for group, (problem, remedy) in _REFUSED.items():
        if path.endswith(group):
            raise InputError(request.where, problem, remedy.replace("{path}", printable(request.source)))
