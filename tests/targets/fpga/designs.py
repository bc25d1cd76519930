"""Random networks small enough to simulate as hardware, and designs for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeml.network import Network
from edgeml.targets.fpga.architectures.folded.choices import choices_of
from edgeml.targets.fpga.architectures.folded.folding_choice import foldings_for_interval
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.fpga.architectures.folded.timing import size_fifos
from edgeml.targets.fpga.design import Design
from tests.network.random_networks import Shape, network_of, random_shape

__all__ = ["folded_designs", "plain_network", "small_network"]


def small_network(seed: int, widest: int = 10, deepest: int = 3) -> Network:
    """A random network of few neurons; every seed another one. Zero points, bases, residual paths included."""
    rng = np.random.default_rng(seed)
    shape = random_shape(rng, widest=widest, deepest=deepest)
    widths = tuple(min(width, widest) for width in shape.widths)
    levels = tuple(min(level, 7) for level in shape.levels)
    return network_of(replace(shape, widths=widths, levels=levels))


def plain_network(*widths: int) -> Network:
    """Dense layers of 2 bits of these widths, the first that of the input, with three thresholds between them."""
    layers = len(widths) - 1
    shape = Shape(widths, (2,) * layers, (3,) * layers, (0,) * layers, (False,) * layers, 2, False, 0, seed=1)
    return network_of(shape, "plain")


def folded_designs(network: Network, count: int) -> list[Design]:
    """Folded designs of a network, from one multiplier per layer to many, FIFOs sized."""
    most = max(chain.clocks_per_frame for chain in make_plan(network, {}).chains)
    designs = []
    for k in range(count):
        folds = foldings_for_interval(network, max(1, most // 5**k))
        if folds is not None:
            plan = make_plan(network, folds)
            size_fifos(plan)
            designs.append(Design("folded", choices_of(plan)))
    return designs
