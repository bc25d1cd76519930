"""The product of two tensors, value by value."""

from __future__ import annotations

from ...network.layers.multiply import Multiply
from ..statement import Product

__all__ = ["statement"]


def statement(layer: Multiply, channel: int) -> Product:
    """a · b of the channel of the same number."""
    return Product.of((0, channel), (1, channel))
