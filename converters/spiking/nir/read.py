"""Read .nir: the exact network of a file that edgeml wrote, else the float spiking network that its nodes say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends.snn import Snn
from edgeml.network import Network, network_file
from edgeml.verification.stated_scales import StatedScales

from .chain import Chain
from .graph import decoded, read_graph
from .stored import opened
from .write import EXACT_GROUP, NIR_STEP, REAL_NUMBERS

__all__ = ["read_model", "read_scales", "read_snn"]


def read_model(path: str | Path) -> Network | Snn:
    """The network in a .nir file; InputError naming the file and node if it cannot be read."""
    path = Path(path)
    with opened(path) as file:
        group = file.group(file.root, EXACT_GROUP)
        exact = None if group is None else file.dataset(group, "network")
        if exact is None:
            return Chain(read_graph(file), file.where, NIR_STEP).snn(_name(path))
        if exact.dtype != np.uint8 or exact.ndim != 1:
            raise InputError(file.where, f"its dataset {EXACT_GROUP}/network is not a sequence of bytes")
        return network_file.from_bytes(file.values(exact).tobytes(), f"{file.where}, {EXACT_GROUP}/network")


def read_snn(path: str | Path, step: float = NIR_STEP) -> Snn:
    """What the NIR nodes say, whoever wrote them, for time steps of `step` seconds."""
    path = Path(path)
    with opened(path) as file:
        return Chain(read_graph(file), file.where, step).snn(_name(path))


def read_scales(path: str | Path) -> StatedScales:
    """What the file says real numbers become, and what its outputs stand for; CheckFailed if it says nothing."""
    with opened(Path(path)) as file:
        group = file.group(file.root, EXACT_GROUP)
        stated = None if group is None else file.dataset(group, REAL_NUMBERS)
        text = "" if stated is None else decoded(file.values(stated).item())
        return StatedScales.from_json(text, file.where)


def _name(path: Path) -> str:
    name = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    return name if name.isidentifier() else f"nir_{name}"
