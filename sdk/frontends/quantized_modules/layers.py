"""The layers of torch.ao.quantization as modules of floats, or of the operators that programs of pt2e have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.ao.quantization.fx._decomposed  # registers the operators
from torch import nn

__all__ = ["BUILDERS", "NotRead"]

_TYPES = {torch.quint8: (torch.uint8, 0, 255), torch.qint8: (torch.int8, -128, 127)}
_OPERATORS = torch.ops.quantized_decomposed


class NotRead(Exception):
    """The layer has a form that is not read."""


class _Levels(nn.Module):
    """x to the integers of a scale and zero point, and back to the real numbers that they stand for."""

    def __init__(self, scale: float, zero_point: int, kind: Any) -> None:
        super().__init__()
        if kind not in _TYPES:
            raise NotRead(f"has activations of {kind}")
        self.scale, self.zero_point = float(scale), int(zero_point)
        self.integers, self.low, self.high = _TYPES[kind]

    def forward(self, x: Any) -> Any:
        """The same shape."""
        numbers = self.scale, self.zero_point, self.low, self.high, self.integers
        return _OPERATORS.dequantize_per_tensor(_OPERATORS.quantize_per_tensor(x, *numbers), *numbers)


class _Weighted(nn.Module):
    """A linear layer on int8 weights with their scales, maybe with a ReLU, then the integers of its output."""

    def __init__(self, part: Any, relu: bool) -> None:
        super().__init__()
        weight, bias = part.weight(), part.bias()
        if weight.dtype != torch.qint8:
            raise NotRead(f"has weights of {weight.dtype}")
        scale, zero = _scales(weight)
        self.register_buffer("weight", weight.int_repr())
        self.register_buffer("scale", scale)
        self.register_buffer("zero_point", zero)
        self.bias: Any = None if bias is None else nn.Parameter(bias.detach().float(), requires_grad=False)
        self.relu = relu
        self.levels = _Levels(part.scale, part.zero_point, torch.quint8)

    def forward(self, x: Any) -> Any:
        """[batch, inputs] → [batch, outputs]."""
        weight = _OPERATORS.dequantize_per_channel(self.weight, self.scale, self.zero_point, 0, -128, 127, torch.int8)
        y = nn.functional.linear(x, weight, self.bias)
        return self.levels(torch.relu(y) if self.relu else y)


def _scales(weight: Any) -> tuple[Any, Any]:
    """Scale and zero point of each row."""
    rows = weight.shape[0]
    if weight.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
        if weight.q_per_channel_axis() != 0:
            raise NotRead("has weights with scales along their inputs")
        return weight.q_per_channel_scales().float(), weight.q_per_channel_zero_points().long()
    return torch.full((rows,), weight.q_scale()), torch.full((rows,), weight.q_zero_point(), dtype=torch.int64)


def _dynamic(part: Any) -> nn.Module:
    """quantize_dynamic's linear layer: the real numbers that its weights stand for."""
    weight, bias = part.weight().dequantize(), part.bias()
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer.eval()


def _dynamic_relu(part: Any) -> nn.Module:
    return nn.Sequential(_dynamic(part), nn.ReLU())


def _quantize(part: Any) -> nn.Module:
    return _Levels(float(part.scale.reshape(-1)[0]), int(part.zero_point.reshape(-1)[0]), part.dtype)


def _same(part: Any) -> nn.Module:
    return nn.Identity()


BUILDERS: Mapping[tuple[str, str], Callable[[Any], nn.Module]] = {
    ("dynamic", "Linear"): _dynamic,
    ("dynamic", "LinearReLU"): _dynamic_relu,
    ("static", "Linear"): lambda part: _Weighted(part, relu=False),
    ("static", "LinearReLU"): lambda part: _Weighted(part, relu=True),
    ("static", "Quantize"): _quantize,
    ("static", "DeQuantize"): _same,
    ("static", "Dropout"): _same,
}
"""By family and class."""
