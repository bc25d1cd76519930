"""Ways to pack and multiply the weights of dense layers on microcontrollers, one file each."""

from .bits_columns import BitsColumnsKernel
from .dense_block import W8BlockKernel
from .dense_lanes import LanesKernel
from .dsp_levels import W2LevelsKernel, W2WordsKernel
from .dsp_nested import W4DspKernel, W8DspKernel
from .dsp_pairs import W2DspKernel
from .dsp_w4_pairs import W4PairsKernel
from .mve import MveKernel

__all__ = [
    "BitsColumnsKernel",
    "LanesKernel",
    "MveKernel",
    "W2DspKernel",
    "W2LevelsKernel",
    "W2WordsKernel",
    "W4DspKernel",
    "W4PairsKernel",
    "W8BlockKernel",
    "W8DspKernel",
]
