"""What a profile of a neuromorphic chip may say; a rule applies if the profile has its number (see `rules`)."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.profile_fields import Field, Flag, ListOf, Whole, Word

from .parameters import PARAMETERS

__all__ = ["PROFILE_FIELDS"]

_COUNTS = (
    *("cores", "neurons", "neurons_per_core", "hidden_neurons", "output_neurons", "input_channels", "input_spikes"),
    *("fan_in", "fan_out", "layer_inputs", "core_memory_bytes", "synapse_delay"),
)
_WIDTHS = ("state_bits", "decay_bits", "threshold_bits", "threshold_shift", "weight_shift")
_FLAGS = ("membrane_output", "uniform_thresholds", "recurrent", "initial_charge", "fan_out_of_inputs")

PROFILE_FIELDS: Mapping[str, Field] = {
    "chip": Word(tuple(sorted(PARAMETERS))),
    "akida_version": Whole(1, 2),
    "models": ListOf(Word(), required=True),
    "activation_bits": ListOf(Whole(1, 16)),
    **dict.fromkeys(("weight_low", "weight_high"), Whole(-(2**31), 2**31 - 1)),
    **dict.fromkeys(_COUNTS, Whole(0, 2**40)),
    **dict.fromkeys(_WIDTHS, Whole(0, 64)),
    **dict.fromkeys(_FLAGS, Flag()),
}
