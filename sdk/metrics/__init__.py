"""The schema of the figures in a bundle's manifest (`metrics`), for those who write and those who read them.

`target` is what a target says of what it made, `spiking` what spikes cost, `answers` what the integers are worth,
`measures` what an executor counted; `json_values` reads values from JSON that anybody may have written: what is not of
the declared type counts as not said.
"""

from .answers import Answers, Confusion, Fidelity, JudgedOn
from .measures import Measures, modelled_said
from .spiking import SpikeCosts, SpikeMeasures, SpikingMetrics
from .target import NOT_SAID, Amount, Placed, Synthesis, TargetMetrics, bars_of

__all__ = [
    "NOT_SAID",
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
    "modelled_said",
]
