"""Weights of a `torch.nn.Module` from a `.safetensors` file, strictly: every name and shape must agree."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from ..errors import InputError
from .format import read_bounded

__all__ = ["load_weights"]

_LARGEST_FILE = 2**29
_LARGEST_HEADER = 2**24


def load_weights(model: Any, path: Path, model_name: str) -> None:
    """Load the tensors in `path` into `model`.

    Raises
    ------
    InputError : the file is not a sound safetensors file; a tensor is missing, unknown or of another shape; a weight
        is not finite.
    """
    import torch

    if not isinstance(model, torch.nn.Module):
        raise InputError(
            model_name, f"returned a {type(model).__name__}", "The factory has to return a torch.nn.Module"
        )
    if path.suffix.lower() != ".safetensors":
        raise InputError(
            str(path), "is no .safetensors file", "Write one with safetensors.torch.save_file(model.state_dict(), path)"
        )
    tensors = _read(path)
    own = {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)}
    problems = [f"{name} is not in the model" for name in tensors if name not in own]
    stored_memory = {own[name].data_ptr() for name in tensors if name in own}
    # safetensors stores a tensor that a model holds under two names (tied weights) once.
    problems += [
        f"{name} is missing in the file"
        for name, tensor in own.items()
        if name not in tensors and not (tensor.numel() and tensor.data_ptr() in stored_memory)
    ]
    problems += [
        f"{name} has shape {list(tensor.shape)}, the model's {list(own[name].shape)}"
        for name, tensor in tensors.items()
        if name in own and tensor.shape != own[name].shape
    ]
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise InputError(
            str(path),
            f"does not fit {model_name}: {'; '.join(problems[:5])}{more}",
            "Pass the weights of this very model",
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(str(path), f"{name} holds NaN or infinity", "Train the model again, or mend its weights")
    if any(tensor.dtype == torch.float64 and own[name].dtype != torch.float64 for name, tensor in tensors.items()):
        model.double()  # so that no weight is rounded
    model.load_state_dict(tensors, strict=False)


def _read(path: Path) -> dict[str, Any]:
    """The tensors by name; sizes are checked before anything is allocated."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = read_bounded(path, _LARGEST_FILE)
    header = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 2 <= header <= min(len(content) - 8, _LARGEST_HEADER):
        raise InputError(str(path), f"is not a whole .safetensors file ({len(content)} bytes, header of {header})")
    try:
        json.loads(content[8 : 8 + header])
        return dict(load(content))
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError, RecursionError, AttributeError) as error:
        raise InputError(str(path), f"is not a sound .safetensors file ({error})") from error
