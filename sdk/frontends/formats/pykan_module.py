"""`kan.MultKAN` and `kan.KAN` of the package pykan: networks with a trained function on each edge."""

from __future__ import annotations

import sys
from typing import ClassVar

from ..format import Reader, Request
from ..mlp import Mlp

__all__ = ["PykanModuleFormat"]


class PykanModuleFormat(Reader):
    """A live pykan network. Its checkpoints are pickles, which edgeml does not load."""

    description: ClassVar[str] = "a network of pykan (kan.KAN, kan.MultKAN)"
    rank: ClassVar[int] = 40

    def takes(self, request: Request) -> bool:
        """Whether it is a pykan network, or a module that holds one."""
        torch, kan = sys.modules.get("torch"), sys.modules.get("kan.MultKAN")
        if torch is None or kan is None or not isinstance(request.source, torch.nn.Module):
            return False
        return any(isinstance(module, kan.MultKAN) for module in request.source.modules())

    def read(self, request: Request) -> Mlp:
        """The network as an `Mlp` of `EdgeFunctions`, held against the network itself.

        Raises
        ------
        InputError : it has what no sum of edge functions is (multiplication nodes), or is part of another module.
        CheckFailed : it computes something else than what was read.
        """
        from ..pykan.reader import read_network

        return read_network(request)
