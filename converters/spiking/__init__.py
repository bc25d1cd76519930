"""The spiking form: quantized networks as exact spikes, rate coding for comparison, snnTorch networks, and NIR."""

from .converter import SpikingConverter
from .exact import to_spikes

__all__ = ["SpikingConverter", "to_spikes"]
