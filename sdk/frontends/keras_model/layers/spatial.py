"""What layers over positions share: the order of dimensions, and Keras's kinds of padding.

Keras has channels last, or first by its setting data_format; edgeml's convolutions have them first. What moves is the
order of a signal alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....errors import printable
from ...reading import shapes
from ...reading.positions import Window
from ...reading.value import NotAnMlp, Signal
from .applied import Applied

__all__ = ["channels_first", "given_back", "padding", "window"]


def channels_first(a: Applied, x: Signal, dimensions: int) -> Signal:
    """`x` [batch, positions …, channels] as [batch, channels, positions …]."""
    if x.batch_axis != 0 or len(x.features) != dimensions + 1:
        raise NotAnMlp(f"it is applied to a tensor of shape {x.text}", f"It takes {dimensions} dimensions and channels")
    if not a.channels_last():
        return x
    moved: Signal = shapes.permute(x, [0, dimensions + 1, *range(1, dimensions + 1)])
    return moved


def given_back(a: Applied, x: Signal) -> Signal:
    """`x` [batch, channels, positions …] with the channels where the layer has them."""
    if not a.channels_last():
        return x
    moved: Signal = shapes.permute(x, [0, *range(2, len(x.shape)), 1])
    return moved


def padding(
    kind: str, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Elements before and behind each dimension: none for "valid"; for "same" as many as give ⌈size / stride⌉ windows,
    the odd one behind; for "causal" all before."""
    if kind == "valid":
        return [(0, 0)] * len(sizes)
    if kind == "causal" and len(sizes) == 1:
        return [(dilation[0] * (kernel[0] - 1), 0)]
    if kind != "same":
        raise NotAnMlp(f"its padding is {printable(kind, 40)!r}")
    found = []
    for size, width, step, apart in zip(sizes, kernel, stride, dilation, strict=True):
        total = max((-(-size // max(step, 1)) - 1) * step + apart * (width - 1) + 1 - size, 0)
        found.append((total // 2, total - total // 2))
    return found


def window(a: Applied, x: Signal, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Window:
    """The windows of a layer over `x` [batch, channels, positions …]."""
    kind = a.get("padding", "valid")
    return Window(kernel, stride, padding(str(kind), x.features[1:], kernel, stride, dilation), dilation)
