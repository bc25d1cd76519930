"""The program of a neuron model: its choices, one by one, as a list of operations."""

from __future__ import annotations

from functools import lru_cache

from .neuron_model import NeuronModel
from .operations import (
    Approach,
    Compare,
    Count,
    Decay,
    Decayed,
    FireAtOnce,
    Limit,
    Operation,
    Program,
    Restrict,
    Store,
    Subtract,
    Sum,
    Zero,
)

__all__ = ["program_of"]


@lru_cache(maxsize=256)
def program_of(model: NeuronModel, *, biased: bool = True) -> Program:
    """The step of neurons of this model; `biased`: whether any of them has a bias."""
    in_current = ("bias",) if biased and model.bias_into == "current" else ()
    in_membrane = ("bias",) if biased and model.bias_into == "membrane" else ()
    if model.fire == "per_event":
        return _firing_at_events(model, ("bias",) if biased else ())
    emitted = "next" if model.emission == "membrane" else "fired"
    rest = (*_integrate(model, in_membrane), *_fire(model), Store("membrane", "next"))
    if model.accumulation == "per_event":
        before, event, step = _current_by_events(model, in_current)
        return Program(before, event, (*step, *rest), emitted)
    return Program(step=(*_current(model, in_current), *rest), emitted=emitted)


def _decayed(model: NeuronModel, value: str, factors: str) -> Decayed:
    return Decayed(value, model.decay, model.decay_bits, factors)


def _current(model: NeuronModel, bias: tuple[str, ...]) -> tuple[Operation, ...]:
    """`input`, of what a step brings in sum."""
    limit = Limit(model.current_limit, model.bits)
    if not model.current:
        return (Sum("input", ("arriving", *bias), limit=limit),)
    if model.order == "add_then_decay":
        return (
            Sum("total", ("current", "arriving", *bias)),
            Decay("input", _decayed(model, "total", "current_decay"), limit),
            Store("current", "input"),
        )
    decayed = _decayed(model, "current", "current_decay")
    return (Sum("input", ("arriving", *bias), decayed, limit), Store("current", "input"))


def _current_by_events(
    model: NeuronModel, bias: tuple[str, ...]
) -> tuple[tuple[Operation, ...], tuple[Operation, ...], tuple[Operation, ...]]:
    """`input`, of events that are limited one by one: what is done before them, at each, and behind them."""
    limit = Limit(model.current_limit, model.bits)
    event = (Sum("arriving", ("arriving", "event"), limit=limit),)
    behind = limit if bias else Limit()
    if not model.current:
        return (Sum("arriving", ()),), event, (Sum("input", ("arriving", *bias), limit=behind),)
    keep = Store("current", "input")
    if model.order == "add_then_decay":
        decay = Decay("input", _decayed(model, "total", "current_decay"))
        return (Sum("arriving", ("current",)),), event, (Sum("total", ("arriving", *bias), limit=behind), decay, keep)
    start = Sum("arriving", (), _decayed(model, "current", "current_decay"))
    return (start,), event, (Sum("input", ("arriving", *bias), limit=behind), keep)


def _integrate(model: NeuronModel, bias: tuple[str, ...]) -> tuple[Operation, ...]:
    """`next`: the membrane with its input, and with the resets that the spike before asked for."""
    operations: list[Operation] = []
    late = model.reset if model.reset_delay else "none"
    if late != "none" or model.reset == "subtract_guarded":
        operations.append(Compare("past", "membrane", model.compare == "greater"))
    state = "membrane"
    if late == "zero":
        state = "kept"
        operations.append(Zero("kept", "membrane", "past"))
    limit, decayed = Limit(model.membrane_limit, model.bits), _decayed(model, state, "membrane_decay")
    if model.addition == "saturating":
        operations.append(Approach("next", decayed, ("input", *bias), limit))
    else:
        operations.append(Sum("next", ("input", *bias), decayed))
    if late == "subtract":
        operations.append(Subtract("next", "past"))
    elif late == "zero_with_input":
        operations.append(Zero("next", "next", "past"))
    if model.membrane_limit != "refuse":
        operations.append(Restrict("next", limit))
    return tuple(operations)


def _fire(model: NeuronModel) -> tuple[Operation, ...]:
    """`fired`, and the resets that are done at once."""
    strict = model.compare == "greater"
    if model.reset == "subtract_repeatedly":
        return (Count("fired", "next", strict, model.max_spikes), Subtract("next", "fired"))
    less = "past" if model.reset == "subtract_guarded" else ""
    compare = Compare("fired", "next", strict, less)
    if model.reset_delay or model.reset == "none":
        return (compare,)
    if model.reset in ("zero", "zero_with_input"):
        return (compare, Zero("next", "next", "fired"))
    return (compare, Subtract("next", "fired"))


def _firing_at_events(model: NeuronModel, bias: tuple[str, ...]) -> Program:
    """A leak at the beginning of a step; then each event is added, and may make its neurons fire at once."""
    limit = Limit(model.membrane_limit, model.bits)
    return Program(
        before=(Sum("membrane", bias, _decayed(model, "membrane", "membrane_decay"), limit),),
        event=(
            Sum("membrane", ("membrane", "event"), limit=limit),
            FireAtOnce("membrane", model.compare == "greater", model.max_spikes),
        ),
        single=True,
    )
