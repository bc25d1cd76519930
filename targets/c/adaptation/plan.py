"""The numbers that the C of an adapting network is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Network, Threshold
from edgeml.network.adaptation.definition import Adaptation, LastLayer, Offsets
from edgeml.network.adaptation.packed_levels import level_bits, packed_bytes
from edgeml.network.adaptation.state_image import CRC_BYTES, HEADER_BYTES

__all__ = ["AdaptationPlan"]


@dataclass(frozen=True, eq=False)
class AdaptationPlan:
    """What adapts in a network, by the names and sizes of its C."""

    network: Network
    adaptation: Adaptation

    @classmethod
    def of(cls, network: Network) -> AdaptationPlan | None:
        """None where nothing adapts."""
        return None if network.adaptation is None else cls(network, network.adaptation)

    @property
    def offsets(self) -> Offsets | None:
        """What shifts."""
        return self.adaptation.offsets

    @property
    def last(self) -> LastLayer | None:
        """What learns."""
        return self.adaptation.last_layer

    @cached_property
    def spans(self) -> dict[str, int]:
        """Channels of the layers with offsets, by name, in order."""
        return {} if self.offsets is None else {name: each.size for name, each in self.offsets.means.items()}

    def start(self, name: str) -> int:
        """Where a layer's offsets start among all."""
        return sum(list(self.spans.values())[: self.phase(name)])

    def phase(self, name: str) -> int:
        """Which of the layers with offsets it is."""
        return list(self.spans).index(name)

    @property
    def most(self) -> list[int]:
        """The largest magnitude of an offset of each layer."""
        return [] if self.offsets is None else [self.offsets.most(self.network.ranges[name]) for name in self.spans]

    @property
    def largest_sums(self) -> list[int]:
        """The largest magnitude of a sum of one window, of each layer."""
        ends = [self.network.ranges[name].bounds for name in self.spans]
        return [max(-low, high, 1) for low, high in ends]

    @property
    def layer(self) -> Dense:
        """The layer that learns."""
        return self.network.of_kind(Dense)[self.network.nodes[-1].name]

    @property
    def threshold(self) -> Threshold:
        """What stands in front of it."""
        return self.network.of_kind(Threshold)[self.network.nodes[-1].inputs[0]]

    @property
    def classes(self) -> int:
        """Outputs of the layer that learns."""
        return self.layer.outputs

    @property
    def level_bits(self) -> int:
        """Bits of a kept level."""
        return level_bits(self.threshold.levels)

    @property
    def window_bytes(self) -> int:
        """Bytes of a kept window."""
        return packed_bytes(self.threshold.channels, self.threshold.levels)

    @property
    def kept_bytes(self) -> int:
        """Bytes of all kept windows; 0 if nothing learns."""
        return 0 if self.last is None else self.last.slots * self.classes * self.window_bytes

    @property
    def shared_bytes(self) -> int:
        """Of the place that sums and kept windows have in turn."""
        return max(4 * max(self.spans.values(), default=0), self.kept_bytes)

    @property
    def factory(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Weights [outputs, inputs] and biases that learning begins with."""
        assert self.last is not None
        fraction = self.last.fraction
        return self.layer.weight.astype(np.int64) << fraction, self.layer.bias.astype(np.int64) << fraction

    @property
    def state_bytes(self) -> int:
        """Bytes of a saved image's state."""
        learned = 0
        if self.last is not None:
            weights = self.layer.weight.size * self.last.weight_bits + self.classes * self.last.bias_bits
            learned = weights // 8 + self.classes
        return 2 * sum(self.spans.values()) + self.shared_bytes + learned + 3

    @property
    def image_bytes(self) -> int:
        """Bytes of a saved image."""
        return HEADER_BYTES + self.state_bytes + CRC_BYTES
