"""Classic leaky models: every choice that chips and frameworks make differently has a name; presets, one file each."""

from .loihi import loihi
from .neuron_model import NeuronModel
from .snntorch import snntorch_lapicque, snntorch_leaky, snntorch_synaptic
from .tinyodin import tinyodin
from .xylo import xylo

__all__ = [
    "PRESETS",
    "NeuronModel",
    "loihi",
    "snntorch_lapicque",
    "snntorch_leaky",
    "snntorch_synaptic",
    "tinyodin",
    "xylo",
]

PRESETS = {
    "snntorch_leaky": snntorch_leaky,
    "snntorch_synaptic": snntorch_synaptic,
    "snntorch_lapicque": snntorch_lapicque,
    "loihi": loihi,
    "xylo": xylo,
    "tinyodin": tinyodin,
}
"""Functions that give a `NeuronModel`, by name; some take options such as the reset mechanism."""
