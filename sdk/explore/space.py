"""The search space: what a candidate may be, said to Optuna one parameter after another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..profile import Profile
from .candidate import Candidate
from .settings import explored

if TYPE_CHECKING:
    import optuna

__all__ = ["Space"]

_CLOCKS_PER_FRAME = (16, 64, 256, 1024, 4096)
_UNROLLED_WEIGHTS = 20_000
"""More weights than this make no useful unrolled design, and take long to estimate."""


@dataclass(frozen=True)
class Space:
    """Ranges of all choices.

    Parameters
    ----------
    profiles : of the parts, by name or path. forms : of `settings.FORMS`.
    features, outputs : of the network.
    layer_sizes : (inputs, outputs) of the linear layers of a given model, or None: the family is searched. Of a layer
        at several positions the inputs of one and the outputs of all.
    widths : of hidden layers, ascending. depth : most hidden layers. bits : of weights and activations, ascending.
    input_bits : ascending. encode : see `Candidate.encode`; the first is where a search begins.
    fan_in : most inputs of a layer's neurons, ascending, the last of them 0 for all.
    """

    profiles: Mapping[str, Profile]
    forms: tuple[str, ...]
    features: int
    outputs: int
    layer_sizes: tuple[tuple[int, int], ...] | None
    widths: tuple[int, ...]
    depth: int
    bits: tuple[int, ...]
    input_bits: tuple[int, ...]
    encode: tuple[str, ...] = ("",)
    fan_in: tuple[int, ...] = (0,)

    @cached_property
    def tflite_bits(self) -> tuple[int, ...]:
        """Bits of weights that the form tflite declares as worth trying, ascending."""
        return explored("tflite", "weight_bits")

    @cached_property
    def encodings(self) -> tuple[str, ...]:
        """Encodings that the form spiking declares as worth trying; the first is where a search begins."""
        return explored("spiking", "encoding")

    def suggest(self, trial: optuna.trial.Trial) -> Candidate:
        """The candidate that a trial's sampler proposes."""
        targets = tuple(self.profiles)
        target = trial.suggest_categorical("target", targets) if len(targets) > 1 else targets[0]
        form = trial.suggest_categorical("form", self.forms) if len(self.forms) > 1 else self.forms[0]
        hidden: tuple[int, ...] = ()
        layers = len(self.layer_sizes or ())
        if self.layer_sizes is None:
            depth = trial.suggest_int("depth", 1, self.depth)
            hidden = tuple(_pick(trial, f"width{place + 1}", self.widths) for place in range(depth))
            layers = depth + 1
        encode = trial.suggest_categorical("encode", self.encode) if len(self.encode) > 1 else self.encode[0]
        if form == "tflite":
            weights = (_pick(trial, "tflite_bits", self.tflite_bits),) * layers
            options = self._options(trial, target, hidden)
            return Candidate(target, form, hidden, weights, (8,) * (layers - 1), 8, options, encode=encode)
        weights = tuple(_pick(trial, f"weight_bits{place + 1}", self.bits) for place in range(layers))
        acts = tuple(_pick(trial, f"act_bits{place + 1}", self.bits) for place in range(layers - 1))
        inputs = _pick(trial, "input_bits", self.input_bits)
        limits: tuple[int, ...] = ()
        if len(self.fan_in) > 1:
            limits = tuple(_pick(trial, f"fan_in{place + 1}", self.fan_in) for place in range(layers))
        options = self._options(trial, target, hidden)
        if form == "spiking":
            options = {**options, "encoding": trial.suggest_categorical("encoding", self.encodings)}
        return Candidate(target, form, hidden, weights, acts, inputs, options, encode=encode, fan_in=limits)

    def parameters(self, candidate: Candidate) -> dict[str, Any]:
        """What a trial must be given to suggest `candidate`, or the nearest to it that the space holds."""
        found: dict[str, Any] = {"target": candidate.target, "form": candidate.form, "depth": len(candidate.hidden)}
        found |= {f"width{k + 1}": _index(self.widths, width) for k, width in enumerate(candidate.hidden)}
        found |= {f"weight_bits{k + 1}": _index(self.bits, bits) for k, bits in enumerate(candidate.weight_bits)}
        found |= {f"act_bits{k + 1}": _index(self.bits, bits) for k, bits in enumerate(candidate.act_bits)}
        found["input_bits"] = _index(self.input_bits, candidate.input_bits)
        if len(self.fan_in) > 1:
            limits = candidate.fan_in or (0,) * len(candidate.weight_bits)
            found |= {f"fan_in{k + 1}": self._limit_place(limit) for k, limit in enumerate(limits)}
        found["tflite_bits"] = _index(self.tflite_bits, candidate.weight_bits[0])
        found["encode"] = candidate.encode if candidate.encode in self.encode else self.encode[0]
        found["encoding"] = candidate.options.get("encoding", self.encodings[0])
        if self.profiles[candidate.target].kind == "fpga":
            small = self._weights(candidate.hidden) <= _UNROLLED_WEIGHTS
            if (name := self._hardware_name(candidate)) in self.hardware(candidate.hidden):
                found["hardware" if small else "hardware_of_many_weights"] = name
        return found

    def neighbour(self, candidate: Candidate, generator: np.random.Generator) -> Candidate:
        """`candidate` with one or two of its choices moved to the next one up or down, or a hidden layer left out."""
        for _ in range(int(generator.integers(1, 3))):
            hidden, weights, acts = list(candidate.hidden), list(candidate.weight_bits), list(candidate.act_bits)
            inputs, limits = candidate.input_bits, list(candidate.fan_in)
            places = [
                ("input", 0),
                *(("weight", k) for k in range(len(weights))),
                *(("act", k) for k in range(len(acts))),
                *(("fan_in", k) for k in range(len(limits))),
            ]
            places += [("width", k) for k in range(len(hidden))] * 2
            places += [("encode", 0)] if len(self.encode) > 1 else []
            if len(hidden) > 1:
                places.append(("remove", int(generator.integers(len(hidden)))))
            encode = candidate.encode
            if candidate.form == "tflite":
                places = [("width", k) for k in range(len(hidden))] or [("weight", 0)]
            what, place = places[int(generator.integers(len(places)))]
            if what == "encode":
                encode = str(generator.choice(np.array([each for each in self.encode if each != encode])))
            elif what == "input":
                inputs = _moved(self.input_bits, inputs, generator)
            elif what == "width":
                hidden[place] = _moved(self.widths, hidden[place], generator)
            elif what == "fan_in":
                moved = self._limit_place(limits[place]) + int(generator.choice(np.array([-1, 1])))
                limits[place] = self.fan_in[min(max(moved, 0), len(self.fan_in) - 1)]
            elif what == "remove":
                del hidden[place], weights[place], acts[place]
                limits = [*limits[:place], *limits[place + 1 :]]
            elif candidate.form == "tflite":
                weights = [_moved(self.tflite_bits, weights[0], generator)] * len(weights)
            else:
                changed = weights if what == "weight" else acts
                changed[place] = _moved(self.bits, changed[place], generator)
            candidate = replace(
                candidate,
                hidden=tuple(hidden),
                weight_bits=tuple(weights),
                act_bits=tuple(acts),
                input_bits=inputs,
                baseline=False,
                encode=encode,
                fan_in=tuple(limits),
            )
        return candidate

    def _limit_place(self, limit: int) -> int:
        """The place of a limit of inputs, or of the next larger one."""
        return next((place for place, each in enumerate(self.fan_in) if 0 < limit <= each), len(self.fan_in) - 1)

    def uniform(self, hidden: tuple[int, ...], bits: int, hardware: str = "") -> list[Candidate]:
        """A shape with the same bits everywhere (8 at the input), for every target and form; on FPGAs as `hardware`
        (a name such as `folded-256`), or in every way there is."""
        layers = len(self.layer_sizes) if self.layer_sizes is not None else len(hidden) + 1
        return self.allocated(hidden, (bits,) * layers, (bits,) * (layers - 1), hardware)

    def allocated(
        self,
        hidden: tuple[int, ...],
        weight_bits: Sequence[int],
        act_bits: Sequence[int],
        hardware: str = "",
        fan_in: Sequence[int] = (),
    ) -> list[Candidate]:
        """The same with bits, and if stated limits of inputs, for each layer; forms of uniform bits (tflite) take the
        first layer's."""
        found = []
        for target, profile in self.profiles.items():
            for form in self.forms:
                weights, acts, inputs = tuple(weight_bits), tuple(act_bits), self.input_bits[-1]
                if form == "tflite":
                    bits = min(self.tflite_bits, key=lambda each: (abs(each - weights[0]), each))
                    weights, acts, inputs = (bits,) * len(weights), (8,) * len(acts), 8
                encoding = {"encoding": self.encodings[0]} if form == "spiking" else {}
                ways: list[dict[str, Any]] = [{}]
                if profile.kind == "fpga":
                    names = [hardware] if hardware else self.hardware(hidden)
                    ways = [_hardware_options(name, profile) for name in names]
                limits = tuple(fan_in) or (0,) * len(weights) if len(self.fan_in) > 1 and form != "tflite" else ()
                found += [
                    Candidate(target, form, hidden, weights, acts, inputs, {**way, **encoding}, fan_in=limits)
                    for way in ways
                ]
        return found

    def _weights(self, hidden: tuple[int, ...]) -> int:
        sizes = self.layer_sizes
        if sizes is None:
            sizes = tuple(pairwise((self.features, *hidden, self.outputs)))
        return sum(taken * given for taken, given in sizes)

    def hardware(self, hidden: tuple[int, ...]) -> list[str]:
        """Names of the ways to arrange a shape on an FPGA, such as `folded-256`."""
        folded = [f"folded-{clocks}" for clocks in _CLOCKS_PER_FRAME]
        return folded if self._weights(hidden) > _UNROLLED_WEIGHTS else [*folded, "unrolled"]

    def _options(self, trial: optuna.trial.Trial, target: str, hidden: tuple[int, ...]) -> dict[str, Any]:
        profile = self.profiles[target]
        if profile.kind != "fpga":
            return {}
        # A parameter of its own where there is less to choose from: Optuna wants a name's choices always the same.
        small = self._weights(hidden) <= _UNROLLED_WEIGHTS
        name = "hardware" if small else "hardware_of_many_weights"
        return _hardware_options(trial.suggest_categorical(name, self.hardware(hidden)), profile)

    def _hardware_name(self, candidate: Candidate) -> str:
        if candidate.options.get("architecture") == "unrolled":
            return "unrolled"
        clock = float(self.profiles[candidate.target].values["clock_mhz"]) * 1e6
        return f"folded-{round(clock / float(candidate.options['frames_per_second']))}"


def _hardware_options(name: str, profile: Profile) -> dict[str, Any]:
    """`folded-256` (at most 256 clocks a frame) or `unrolled` as options of the FPGA target."""
    architecture, _, clocks = name.partition("-")
    if architecture == "unrolled":
        return {"architecture": "unrolled"}
    clock = float(profile.values["clock_mhz"]) * 1e6
    return {"architecture": "folded", "frames_per_second": clock / int(clocks)}


def _pick(trial: optuna.trial.Trial, name: str, choices: Sequence[int]) -> int:
    """One of ascending numbers, told to the sampler as its place, so that it knows which are neighbours."""
    return choices[trial.suggest_int(name, 0, len(choices) - 1)]


def _moved(choices: Sequence[int], value: int, generator: np.random.Generator) -> int:
    """The choice next to `value`, up or down."""
    place = _index(choices, value) + int(generator.choice(np.array([-1, 1])))
    return choices[min(max(place, 0), len(choices) - 1)]


def _index(choices: Sequence[int], value: int) -> int:
    return min(bisect_left(choices, value), len(choices) - 1)
