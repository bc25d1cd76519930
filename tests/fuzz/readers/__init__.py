"""Every reader of edgeml's with sound seeds, a way to damage them, and the call that a user's file takes."""

from __future__ import annotations

from . import arrays, bundles, descriptions, frames, models, networks
from .reader import Reader

__all__ = ["READERS", "Reader"]

READERS: dict[str, Reader] = {
    **arrays.READERS,
    **networks.READERS,
    **models.READERS,
    **descriptions.READERS,
    **bundles.READERS,
    **frames.READERS,
}
