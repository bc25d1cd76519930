"""What the simulator and the ranges read of a layer of leaky neurons (`layers/leaky_neurons` is that layer)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from .models.neuron_model import NeuronModel
from .models.operations import Program

__all__ = ["LeakyLayer"]

Int32 = npt.NDArray[np.int32]


class LeakyLayer(Protocol):
    """The fields of `LeakyNeurons`, whose docstring says what they are."""

    @property
    def model(self) -> NeuronModel: ...
    @property
    def program(self) -> Program: ...
    @property
    def steps(self) -> int: ...
    @property
    def inputs(self) -> int: ...
    @property
    def neurons(self) -> int: ...
    @property
    def most_spikes(self) -> int: ...
    @property
    def weight(self) -> Int32: ...
    @property
    def threshold(self) -> Int32: ...
    @property
    def current_decay(self) -> Int32: ...
    @property
    def membrane_decay(self) -> Int32: ...
    @property
    def bias(self) -> Int32: ...
    @property
    def initial(self) -> Int32: ...
    @property
    def recurrent(self) -> Int32 | None: ...
    @property
    def delays(self) -> Int32 | None: ...
    @property
    def recurrent_delays(self) -> Int32 | None: ...
