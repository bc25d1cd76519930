"""Which architecture the RTL of a bundle is of: networks of spikes have others of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..architectures.architecture import Architecture, architectures_for
from ..design import read_design

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["held_architecture"]


def held_architecture(bundle: Bundle) -> Architecture[Any, Any] | None:
    """The architecture of a bundle's RTL; None if it holds none. InputError where its design is not sound."""
    if "rtl/design.json" not in bundle.manifest.get("files", {}):
        return None
    return architectures_for(bundle.network, read_design(bundle.folder / "rtl", bundle.network).architecture)[0]
