"""`torch.nn.Module` with snnTorch neurons: read as the network that its forward computes."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from ..format import Reader, Request

__all__ = ["SnntorchModuleFormat"]


class SnntorchModuleFormat(Reader):
    """Linear layers, batch norm, sums and constant factors, and Leaky, Synaptic, Lapicque, RLeaky or RSynaptic neurons.

    forward is run on random inputs and watched: one step, or a loop over time of its own. What it computes is read
    from that, whatever the order in which modules were registered, and held against further runs.
    """

    description: ClassVar[str] = "a torch.nn.Module of linear layers and snnTorch neurons"
    rank: ClassVar[int] = 50

    def takes(self, request: Request) -> bool:
        """Whether it is a module that holds a neuron of snnTorch."""
        torch, snntorch = sys.modules.get("torch"), sys.modules.get("snntorch")
        if torch is None or snntorch is None or not isinstance(request.source, torch.nn.Module):
            return False
        return any(isinstance(module, snntorch.SpikingNeuron) for module in request.source.modules())

    def read(self, request: Request) -> Any:
        """The module as an `Snn`. Raises InputError naming what cannot be read."""
        from ..snntorch_forward.reader import read_module

        name = request.model_name(type(request.source).__name__)
        return read_module(request.source, request.where, name, request.example)
