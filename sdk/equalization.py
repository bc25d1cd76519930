"""Cross-layer equalization: hidden channels of unlike sizes brought to one size, without changing the float function.

An integer tensor has one scale for all its channels, so that a channel a thousand times smaller than its neighbours is
rounded away. ReLU is positively homogeneous, relu(s·z) = s·relu(z) for s > 0: row c of the layer before a ReLU, and its
bias, may be multiplied by s[c] if column c of every layer behind is divided by it. With powers of two no bit of the
float function changes. Which s is best follows from how large a channel gets, A[c], and how much it counts behind,
B[c] = max_r |W[r, c]|: s[c] = √(B[c] / A[c]) takes both to √(A[c]·B[c]) (Nagel et al., Data-Free Quantization Through
Weight Equalization and Bias Correction, ICCV 2019, section 4.1), so that neither the activations nor the weights have
a channel that drowns the others.

Exact for ReLU, for chains of linear layers, through batch norm, and through additions, whose sides share one s. A clamp
with a bound other than zero, sigmoid and tanh hold the channels next to them as they are, and so do the model's input
and output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .frontends.float_operators.operator import FloatOperator, Role
from .frontends.mlp import Mlp, MlpNode

__all__ = ["Equalized", "channel_factors", "equalize", "feature_units"]

Floats = npt.NDArray[np.float64]

_SWEEPS = 3
"""A residual stream and the branches on it depend on each other; others need one sweep, from the output backwards."""
_LARGEST_EXPONENT = 400
_ORDINARY_EXPONENT = 16
_FINEST = 2.0**-10


@dataclass(frozen=True, eq=False)
class Equalized:
    """`mlp` computes what the given one does; node `name`'s values are `factors[name]` [channels] times those there,
    powers of two; 1 for nodes that are not in it."""

    mlp: Mlp
    factors: Mapping[str, Floats]


def channel_factors(reach: Floats, effect: Floats) -> Floats:
    """Factors s [channels] > 0 that take both reach · s and effect / s to √(reach · effect), up to one factor of all.

    A channel that never differs from 0 (reach 0) counts behind as much as the median channel then, should it ever do;
    one that nothing behind takes (effect 0) gets the median channel's reach.
    """
    known = (reach > 0) & (effect > 0)
    if not known.any():
        return np.ones(len(reach))
    size = np.sqrt(reach[known]) * np.sqrt(effect[known])
    usual = float(np.median(size))
    factors = np.ones(len(reach))
    factors[known] = np.sqrt(effect[known]) / np.sqrt(reach[known])
    only_effect, only_reach = (reach <= 0) & (effect > 0), (reach > 0) & (effect <= 0)
    factors[only_effect] = effect[only_effect] / usual
    factors[only_reach] = usual / reach[only_reach]
    return factors


def feature_units(x: Floats, weights: Sequence[Floats]) -> Floats:
    """Units [inputs] > 0 in which features of samples x [samples, inputs] are of like sizes: their deviations.

    A feature that is constant in x gets the unit in which it counts as much as the median feature in the linear layers
    that take the input, whose `weights` are [outputs, inputs] each.
    """
    varies = np.ptp(x, axis=0) > 0
    units = np.where(varies, np.maximum(x.std(axis=0), np.finfo(np.float64).tiny), 0.0)
    rows = np.abs(np.concatenate(list(weights)))
    largest = (rows * units).max(axis=1, keepdims=True)
    effect = (rows / np.where(largest > 0, largest, np.inf)).max(axis=0)
    known = varies & (effect > 0)
    usual = float(np.median(units[known] * effect[known])) if known.any() else 0.0
    guessed = ~varies & (effect > 0) & (usual > 0)
    # Not below what float32, in which others compute, tells apart beside the constant itself.
    units[guessed] = np.maximum(usual / effect[guessed], np.abs(x[0, guessed]) * _FINEST)
    ordinary = float(np.median(units[units > 0])) if np.any(units > 0) else 1.0
    return np.where(units > 0, units, ordinary)


def equalize(mlp: Mlp, x: npt.NDArray[np.floating]) -> Equalized:
    """`mlp` with its hidden channels equalized, by what they are on samples x [samples, inputs]."""
    return _Equalization(mlp, x).equalized()


class _Equalization:
    def __init__(self, mlp: Mlp, x: npt.NDArray[np.floating]) -> None:
        self._mlp = mlp
        self._values = mlp.trace(x)
        self._group = self._groups()
        self._factors: dict[str, Floats] = {}
        """By group; a group that is missing has 1."""

    def equalized(self) -> Equalized:
        members: dict[str, list[str]] = {}
        for name, group in self._group.items():
            members.setdefault(group, []).append(name)
        free = [(group, names) for group, names in members.items() if group not in self._fixed]
        for _ in range(_SWEEPS):
            before = dict(self._factors)
            for group, names in reversed(free):
                self._factors[group] = self._group_factors(names)
            if before and all(np.array_equal(self._factors[group], before[group]) for group, _ in free):
                break
        nodes = tuple(replace(node, operator=self._scaled(node)) for node in self._mlp.nodes)
        factors = {node.name: factor for node in nodes if (factor := self._factor(node.name)) is not None}
        return Equalized(replace(self._mlp, nodes=nodes), factors)

    def _groups(self) -> dict[str, str]:
        """Of each tensor, by node name, the group whose channels must have the same factors; those that must be 1."""
        parent: dict[str, str] = {name: name for name in self._mlp.sizes}

        def root(name: str) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        held = {"input", self._mlp.nodes[-1].name}
        for node in self._mlp.nodes:
            operator = node.operator
            # An affine on the input is its normalisation, which goes into the input quantizer.
            normalises = operator.scale_and_shift is not None and root(node.inputs[0]) == root("input")
            if operator.passes_factors or normalises:
                for name in node.inputs:
                    parent[root(node.name)] = root(name)
            elif not operator.absorbs_factors:
                held.update((node.name, *node.inputs))
        self._fixed = {root(name) for name in held}
        return {name: root(name) for name in parent}

    def _factor(self, name: str) -> Floats | None:
        return self._factors.get(self._group[name])

    def _group_factors(self, names: list[str]) -> Floats:
        """Powers of two; the median is 1, or takes a layer of very small or very large values to 1."""
        ones = np.ones(self._mlp.sizes[names[0]])
        reach, effect = np.zeros(len(ones)), np.zeros(len(ones))
        counts = False
        for name in names:
            for user in self._mlp.consumers(name):
                found = self._effect(user)
                if found is not None or user.operator.role is Role.JOIN:
                    reach = np.maximum(reach, np.abs(self._values[name]).max(axis=0))
                if found is not None:
                    counts = True
                    effect = np.maximum(effect, found / max(float(found.max()), np.finfo(np.float64).tiny))
        if not counts:
            return ones
        exponents = np.rint(np.log2(channel_factors(reach, effect)))
        exponents -= np.rint(np.median(exponents))
        sizes = np.log2(reach[reach > 0]) + exponents[reach > 0]
        if sizes.size and abs(float(np.median(sizes))) > _ORDINARY_EXPONENT:
            exponents -= np.rint(np.median(sizes))
        exponents = np.clip(exponents, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        return np.asarray(np.ldexp(1.0, exponents.astype(np.int64)))

    def _effect(self, user: MlpNode) -> Floats | None:
        """How much each channel [inputs] that `user` takes counts in it; None where no linear layer takes it."""
        behind = [self._effect(node) for node in self._mlp.consumers(user.name)] if user.operator.asks_behind else []
        known = [effect for effect in behind if effect is not None]
        return user.operator.effect_of_inputs(self._factor(user.name), np.max(known, axis=0) if known else None)

    def _scaled(self, node: MlpNode) -> FloatOperator:
        if not node.operator.absorbs_factors:
            return node.operator
        one = np.ones(1)
        before, after = self._factor(node.inputs[0]), self._factor(node.name)
        return node.operator.with_factors(one if before is None else before, one if after is None else after)
