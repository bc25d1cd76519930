"""The schema of the figures in a bundle's manifest (`metrics`), for those who write and those who read them.

`alternatives` is what else the model could become, `target` what a target says of what it made, `spiking` what spikes
cost, `answers` what the integers are worth, `measures` what an executor counted; `json_values` reads values from JSON
that anybody may have written: what is not of the declared type counts as not said.
"""

from .alternatives import Alternative, costs_of, read_alternatives
from .answers import Answers, Confusion, Fidelity, JudgedOn
from .measures import Measures, modelled_said
from .spiking import SpikeCosts, SpikeMeasures, SpikingMetrics
from .target import NOT_SAID, Amount, Placed, Synthesis, TargetMetrics, bars_of

__all__ = [
    "NOT_SAID",
    "Alternative",
    "Amount",
    "Answers",
    "Confusion",
    "Fidelity",
    "JudgedOn",
    "Measures",
    "Placed",
    "SpikeCosts",
    "SpikeMeasures",
    "SpikingMetrics",
    "Synthesis",
    "TargetMetrics",
    "bars_of",
    "costs_of",
    "modelled_said",
    "read_alternatives",
]
