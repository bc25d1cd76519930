"""Networks of Boolean functions of the packages torchlogix and torch-dwn."""

from __future__ import annotations

import sys
from typing import ClassVar

from ...network import Network
from ..format import Reader, Request

__all__ = ["LogicModuleFormat"]


class LogicModuleFormat(Reader):
    """A live module; it is neither changed nor left in another mode."""

    description: ClassVar[str] = "a logic network of torchlogix or torch-dwn"
    rank: ClassVar[int] = 45

    def takes(self, request: Request) -> bool:
        """Whether it holds a module of one of the two packages."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(request.source, torch.nn.Module):
            return False
        if not any(name in sys.modules for name in ("torchlogix", "torch_dwn")):
            return False
        from ..logic_modules.reader import PACKAGES

        return any(package.holds(request.source) for package in PACKAGES)

    def read(self, request: Request) -> Network:
        """The module as an integer network: its bits, functions and sums in evaluation.

        Raises
        ------
        InputError : it holds something else, or thresholds that no integers tell apart.
        CheckFailed : it computes something else than what was read.
        """
        from ..logic_modules.reader import read_network

        return read_network(request)
