"""The neurons of snnTorch 1.0, in fixed point: β = k / 2^decay_bits, states with `fraction_bits` below the point.

They compare strictly (mem > threshold) and reset, by default, one step late. Where snnTorch's float states are
exact, so are these; else both round, and agree spike for spike until a membrane comes nearer to its threshold than
the rounding: which never happened in the trials that the tests repeat.
"""

from __future__ import annotations

from ....errors import NetworkError
from .neuron_model import NeuronModel

__all__ = ["snntorch_lapicque", "snntorch_leaky", "snntorch_synaptic"]


def _reset(reset: str, reset_delay: bool, zero: str) -> tuple[str, int]:
    if reset not in ("subtract", "zero", "none"):
        raise NetworkError("snnTorch reset mechanism", f"{reset!r} is not subtract, zero or none")
    if reset_delay:
        return (zero if reset == "zero" else reset), 1
    return {"subtract": "subtract_guarded", "zero": "zero", "none": "none"}[reset], 0


def _preset(
    name: str, decay_bits: int, fraction_bits: int, reset: tuple[str, int], fires: bool, *, current: bool = False
) -> NeuronModel:
    """What all of them share: β in fixed point, a strict comparison, a reset that may be one step late."""
    return NeuronModel(
        name=name,
        current=current,
        decay="multiply",
        decay_bits=decay_bits,
        weight_shift=fraction_bits,
        compare="greater",
        reset=reset[0],
        reset_delay=reset[1],
        emission="binary" if fires else "membrane",
    )


def snntorch_leaky(
    *,
    decay_bits: int = 8,
    fraction_bits: int = 12,
    reset: str = "subtract",
    reset_delay: bool = True,
    recurrent: bool = False,
    fires: bool = True,
) -> NeuronModel:
    """`snn.Leaky`: U ← β·U + I − R·θ, R from the previous U; zero: U ← β·(1 − R)·U + I.

    `snn.RLeaky` (recurrent) differs in reset to zero: what came in during that step is dropped too.
    """
    when = _reset(reset, reset_delay, "zero_with_input" if recurrent else "zero")
    return _preset("snntorch_leaky", decay_bits, fraction_bits, when, fires)


def snntorch_synaptic(
    *,
    decay_bits: int = 8,
    fraction_bits: int = 12,
    reset: str = "subtract",
    reset_delay: bool = True,
    fires: bool = True,
) -> NeuronModel:
    """`snn.Synaptic` and `snn.RSynaptic`: i ← α·i + I; U ← β·U + i − R·θ; zero drops this step's U."""
    when = _reset(reset, reset_delay, "zero_with_input")
    return _preset("snntorch_synaptic", decay_bits, fraction_bits, when, fires, current=True)


def snntorch_lapicque(
    *, decay_bits: int = 8, fraction_bits: int = 12, reset: str = "subtract", fires: bool = True
) -> NeuronModel:
    """`snn.Lapicque`: U ← (1 − dt/RC)·U + I·dt/C − R·θ; the gain dt/C belongs into the weights or weight_shift."""
    when = _reset(reset, True, "zero_with_input")
    return _preset("snntorch_lapicque", decay_bits, fraction_bits, when, fires)
