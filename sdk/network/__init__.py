"""The integer network: layers, value ranges, the golden simulator and the `.edgeml` file."""

from . import network_file as file
from .decisions import decision_rule, decisions
from .expansion import expanded
from .golden import argmax, simulate, trace
from .layer import Layer, layer_class, layer_kinds
from .layers.add import Add
from .layers.concat import Concat
from .layers.dense import Dense
from .layers.encode import Encode
from .layers.input_quantizer import InputQuantizer
from .layers.logic import Logic
from .layers.lookup import Lookup
from .layers.maximum import Maximum
from .layers.multiply import Multiply
from .layers.requantize import Requantize
from .layers.shared import Shared
from .layers.tables import Tables
from .layers.threshold import Threshold
from .monitor import Monitor, Monitored, Prototypes
from .monitoring import monitored
from .network import Network, Node, Output
from .task import TASKS, integer_threshold
from .value_range import ValueRange

__all__ = [
    "TASKS",
    "Add",
    "Concat",
    "Dense",
    "Encode",
    "InputQuantizer",
    "Layer",
    "Logic",
    "Lookup",
    "Maximum",
    "Monitor",
    "Monitored",
    "Multiply",
    "Network",
    "Node",
    "Output",
    "Prototypes",
    "Requantize",
    "Shared",
    "Tables",
    "Threshold",
    "ValueRange",
    "argmax",
    "decision_rule",
    "decisions",
    "expanded",
    "file",
    "integer_threshold",
    "layer_class",
    "layer_kinds",
    "monitored",
    "simulate",
    "trace",
]
