"""A quantized module with what torch.export cannot trace replaced, layer by layer."""

from __future__ import annotations

import copy
import sys
from typing import Any

from ...errors import InputError

__all__ = ["traceable"]

_PACKED = "torch.ao.nn."
_TENSORS = "torchao."
_INSTEAD = (
    "Pass the float model, which edgeml quantizes itself, or quantize it with torchao's pt2e (prepare_pt2e, "
    "convert_pt2e), whose programs are read as their integers"
)


def _is_packed(part: Any) -> bool:
    name = type(part).__module__
    return name.startswith(_PACKED) and ".quantized" in name


def _own_tensors(part: Any) -> list[str]:
    """Names of its parameters that are tensors of torchao's."""
    return [name for name, value in part.named_parameters(recurse=False) if _is_of_torchao(value)]


def _is_of_torchao(value: Any) -> bool:
    return any(kind.__module__.startswith(_TENSORS) for kind in (type(value), type(value.data)))


def traceable(module: Any, where: str) -> Any:
    """`module` itself, or a copy in which each quantized layer is one of floats or of `quantized_decomposed` operators.

    Weights keep their integers' values: of quantize_dynamic and of torchao's tensors as real numbers, of layers of
    fixed scales as the integers with their scales.

    Raises
    ------
    InputError : a quantized layer of another kind: its place, its class, and what to do.
    """
    if "torchao" not in sys.modules and "torch.ao.nn.quantized" not in sys.modules:
        return module
    if not any(_is_packed(part) or _own_tensors(part) for part in module.modules()):
        return module
    return _walked(copy.deepcopy(module), "", where)


def _walked(part: Any, name: str, where: str) -> Any:
    """`part`, its parts replaced; what stands in for it, if it is quantized itself."""
    if _is_packed(part):
        return _replaced(part, name, where)
    _with_real_numbers(part)
    for child, inner in list(part.named_children()):
        setattr(part, child, _walked(inner, f"{name}.{child}".lstrip("."), where))
    return part


def _with_real_numbers(part: Any) -> None:
    import torch

    for name in _own_tensors(part):
        value = getattr(part, name)
        if not hasattr(value, "dequantize"):
            raise InputError(f"parameter {name}", f"is a {type(value).__name__}, which gives no real numbers", _INSTEAD)
        setattr(part, name, torch.nn.Parameter(value.detach().dequantize().float(), requires_grad=False))


def _replaced(part: Any, name: str, where: str) -> Any:
    from . import layers

    kind = type(part)
    place = f"{where}, {name}" if name else where
    build = layers.BUILDERS.get((_family(kind.__module__), kind.__name__))
    if build is None:
        raise InputError(place, f"is a quantized {kind.__name__} of torch.ao, which is not read", _INSTEAD)
    try:
        return build(part)
    except layers.NotRead as error:
        raise InputError(place, str(error), _INSTEAD) from error


def _family(module: str) -> str:
    """torch.ao.nn.quantized.dynamic.modules.linear → dynamic; else static."""
    return "dynamic" if ".dynamic" in module else "static"
