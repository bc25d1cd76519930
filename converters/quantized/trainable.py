"""The network that is trained: a placement with latent float weights, learned scales, and a fresh batch norm per layer.

All parameters are relative (weights to the root mean square of their row, scales and steps to their calibrated
values), so that one learning rate suits every model whatever its units. The batch norm costs the integer network
nothing, since thresholds absorb it, and is worth 0.2 to 0.6 points at 2 bits (tried on four models: digits and MNIST,
trained with and without batch norm of their own, one seed each).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from edgeml.frontends.float_operators.arrays import torch_arrays
from edgeml.frontends.float_operators.encode import LEVEL, Encode
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.graph_walk import walk

from .fan_in_selection import FanInSelection
from .level_steps import LevelSteps, level_widths
from .one_hot_slopes import with_slopes
from .parameters import LinearParameters, Parameters
from .placement import PlacedLinear, PlacedNode, PlacedQuantizer, Placement, PlacementVisitor
from .scales import ACTIVATION_SCALE_BITS, integer_range, round_scale
from .straight_through import BinaryWeights, PowerWeights, RoundedBias, UniformQuantizer
from .user_operators import OnGrid

__all__ = ["TrainableNetwork"]

_TORCH = torch_arrays()
_EPSILON = 1e-5
_NOISE = 2.0**-20
"""Sums that vary by less than this share of their terms do not vary: float32 rounds them by 2^-24 and more, on each
processor in its own way, and a batch norm would make values of that."""
_SMALL = 1e-30
"""Rows of weights below this are rows of zeros; none of their numbers may become zero or infinite in float32."""


class TrainableNetwork(PlacementVisitor[Tensor]):
    """Evaluates a placement on x̂ = q · step [samples, features]; `finished` gives the trained parameters.

    Parameters
    ----------
    placement, parameters : calibrated.
    x : calibration samples, as x̂ [samples, features]; batch norm begins with their statistics.
    """

    def __init__(self, placement: Placement, parameters: Parameters, x: Tensor) -> None:
        self.placement = placement
        self.input = parameters.input
        self.steps = dict(parameters.steps)
        self.latent: dict[str, Tensor] = {}
        self.scale: dict[str, Tensor] = {}
        self.gamma: dict[str, Tensor] = {}
        self.beta: dict[str, Tensor] = {}
        self.step = {group: torch.ones(1, 1) for group in self.steps}
        self.constants: dict[str, Tensor] = {}
        self.levels: dict[str, Tensor] = {}
        """By node, how far the levels of an encoding of the input have moved, in widths between them."""
        self.epsilon: dict[str, float] = {}
        self.operands: dict[str, dict[str, Tensor]] = {}
        """By node, the parameters of a float operator, which stay as they are."""
        limited = {name: linear.fan_in for name, linear in placement.linears.items() if linear.fan_in}
        self.selection = FanInSelection(limited)
        for name, linear in placement.linears.items():
            self._add_linear(name, linear, parameters.linear[name])
        for node in placement.nodes:
            if isinstance(node.operator, OnGrid) and node.inputs == ("input",):
                self._add_levels(node.name, node.operator.operator)
        self._measure(x)
        self.move(torch.device("cpu"), torch.float32)

    def _add_linear(self, name: str, operator: PlacedLinear, given: LinearParameters) -> None:
        size = np.sqrt(np.mean(given.weight**2, axis=None if operator.last else 1, keepdims=True))
        zero = size <= _SMALL
        size = np.maximum(size, _SMALL)
        self.latent[name] = _tensor(given.weight / size)
        self.scale[name] = torch.ones(len(given.scale), 1)
        self.constants[f"{name}.size"] = _tensor(size)
        self.constants[f"{name}.scale"] = _tensor(np.where(zero, 1.0, given.scale[:, None] / size))
        self.constants[f"{name}.bias"] = _tensor(given.bias)
        if operator.linear.kept is not None:
            self.constants[f"{name}.kept"] = _tensor(operator.linear.kept)

    def _add_levels(self, name: str, operator: FloatOperator) -> None:
        assert isinstance(operator, Encode)
        places = operator.of_rule(LEVEL)
        if places.size == 0:
            return
        levels = operator.operand[places]
        self.levels[name] = torch.zeros(places.size)
        self.constants[f"{name}.level"] = _tensor(levels)
        self.constants[f"{name}.width"] = _tensor(level_widths(operator.source[places], levels, operator.high))

    @torch.no_grad()
    def _measure(self, x: Tensor) -> None:
        """Begin every batch norm as the identity on the calibration samples."""
        measurement = _Measurement(self)
        walk(self.placement.nodes, {"input": x}, lambda node, given: node.operator.visit(measurement, node, given))

    def begin_last(self, node: PlacedNode, sums: Tensor) -> Tensor:
        """Begin the last layer, which has no batch norm, with these sums [samples, outputs] of its weights."""
        size, bias = (self.constants.pop(f"{node.name}.{key}") for key in ("size", "bias"))
        reach = max(float((sums * size).std(unbiased=False)), float(bias.abs().max()), _SMALL)
        self.constants[f"{node.name}.size"] = size.reshape(())
        self.constants[f"{node.name}.reach"] = torch.tensor(reach)
        self.beta[node.name] = bias / reach
        return sums * size + bias

    def begin_norm(self, node: PlacedNode, sums: Tensor, largest: Tensor) -> Tensor:
        """Begin a batch norm with these sums [samples, outputs], whose terms are at most `largest` together."""
        size, bias = (self.constants.pop(f"{node.name}.{key}") for key in ("size", "bias"))
        variance, mean = torch.var_mean(sums, dim=0, unbiased=False)
        noise = _NOISE * float(largest)
        epsilon = max(_EPSILON * float(variance.median()), noise**2, _SMALL)
        gamma = (variance + epsilon).sqrt() * size[:, 0]
        beta = mean * size[:, 0] + bias
        reach = max(float(gamma.median()), _SMALL)
        self.constants[f"{node.name}.reach"] = torch.tensor(reach)
        self.epsilon[node.name] = epsilon
        self.gamma[node.name] = gamma / reach
        self.beta[node.name] = beta / reach
        return self._normalised(node, sums)

    def move(self, device: torch.device, dtype: torch.dtype) -> TrainableNetwork:
        """Move everything to a device and type; the parameters become leaves that learn."""
        for tensors in (self.latent, self.scale, self.gamma, self.beta, self.step, self.levels):
            for name, tensor in tensors.items():
                tensors[name] = tensor.detach().to(device, dtype, copy=True).requires_grad_()
        self.constants = {name: tensor.to(device, dtype) for name, tensor in self.constants.items()}
        for node, operands in self.operands.items():
            self.operands[node] = {name: tensor.to(device, dtype) for name, tensor in operands.items()}
        return self

    def advance(self, done: int, total: int) -> None:
        """Be told that so many of all steps are done: neurons of few inputs give up some of those that they have."""
        self.selection.advance(self.latent, done, total)

    def quantized_weight(self, node: PlacedNode, operator: PlacedLinear) -> Tensor:
        """q · scale [outputs, inputs], relative to the size of the rows."""
        scale = self.scale[node.name].abs() * self.constants[f"{node.name}.scale"]
        latent = self._kept(node.name)
        if operator.bits == 1:
            return BinaryWeights.apply(latent, scale)  # type: ignore[no-any-return,no-untyped-call]
        if operator.powers:
            return PowerWeights.apply(latent, scale, 2 ** (operator.bits - 2))  # type: ignore[no-any-return,no-untyped-call]
        low, high = integer_range(operator.bits, operator.narrow)
        return UniformQuantizer.apply(latent, scale, low, high, 0.0)  # type: ignore[no-any-return,no-untyped-call]

    def _kept(self, name: str) -> Tensor:
        """The latent weights, 0 where a neuron has lost an input or never had it."""
        latent = self.selection.kept(name, self.latent[name])
        kept = self.constants.get(f"{name}.kept")
        return latent if kept is None else latent * kept

    def _normalised(self, node: PlacedNode, sums: Tensor) -> Tensor:
        reach = self.constants[f"{node.name}.reach"]
        gamma, beta = self.gamma[node.name].abs() * reach, self.beta[node.name] * reach
        return functional.batch_norm(sums, None, None, gamma, beta, training=True, eps=self.epsilon[node.name])

    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[Tensor]) -> Tensor:
        sums = operator.linear.rows(given[0]) @ self.quantized_weight(node, operator).T
        if operator.last:
            outputs = sums * self.constants[f"{node.name}.size"] + self._last_bias(node)
        else:
            outputs = self._normalised(node, sums)
        value: Tensor = operator.linear.joined(outputs)
        return value

    def quantizer(self, node: PlacedNode, operator: PlacedQuantizer, given: list[Tensor]) -> Tensor:
        step = self._group_step(operator)
        return UniformQuantizer.apply(given[0], step, operator.low, operator.high, operator.offset)  # type: ignore[no-any-return,no-untyped-call]

    def on_reals(self, node: PlacedNode, operator: FloatOperator, given: list[Tensor]) -> Tensor:
        value: Tensor = operator.compute(_TORCH, self._operands(node, operator), *given)
        return value

    def on_integers(self, node: PlacedNode, operator: FloatOperator, given: list[Tensor]) -> Tensor:
        return self.on_reals(node, operator, given)

    def on_grid(self, node: PlacedNode, operator: FloatOperator, given: list[Tensor]) -> Tensor:
        """As it is, but for levels of the input, which learn, and one-hot values of layers, which have slopes."""
        value = self.on_reals(node, operator, given)
        assert isinstance(operator, Encode)
        if given[0].requires_grad:
            return with_slopes(operator, given[0], value)
        if node.name not in self.levels:
            return value
        places = operator.of_rule(LEVEL)
        q = (given[0] / self.input.step)[:, torch.from_numpy(operator.source[places].astype(np.int64))]
        width = self.constants[f"{node.name}.width"]
        steps = LevelSteps.apply(q, self._level(node.name), width)  # type: ignore[no-untyped-call]
        return value.index_copy(1, torch.from_numpy(places).to(value.device), steps)

    def _level(self, name: str) -> Tensor:
        return self.constants[f"{name}.level"] + self.levels[name] * self.constants[f"{name}.width"]

    def _operands(self, node: PlacedNode, operator: FloatOperator) -> dict[str, Tensor]:
        if node.name not in self.operands:
            self.operands[node.name] = {name: _tensor(array) for name, array in operator.parameters.items()}
        return self.operands[node.name]

    def _group_step(self, operator: PlacedQuantizer) -> Tensor:
        if operator.grid:
            return self.step[operator.group].detach() * self.steps[operator.group]
        return self.step[operator.group].abs() * self.steps[operator.group]

    def _last_bias(self, node: PlacedNode) -> Tensor:
        """Rounded to whole accumulators, as the integer network has it."""
        bias = self.beta[node.name] * self.constants[f"{node.name}.reach"]
        step = self._source_step(node.inputs[0])
        unit = self.scale[node.name].abs() * self.constants[f"{node.name}.scale"] * self.constants[f"{node.name}.size"]
        return RoundedBias.apply(bias, (unit * step).reshape(1).detach())  # type: ignore[no-any-return,no-untyped-call]

    def _source_step(self, name: str) -> Tensor:
        """What one integer of a node is worth; all inputs of a join have one step."""
        while name not in self.placement.quantizers:
            if name == "input":
                return torch.tensor(self.input.step)
            if isinstance(self.placement.node(name).operator, OnGrid):
                return torch.tensor(1.0)
            name = self.placement.node(name).inputs[0]
        return self._group_step(self.placement.quantizers[name])

    def __call__(self, x: Tensor) -> Tensor:
        """Outputs [samples, outputs] of the batch x̂."""
        return self._values(x)[self.placement.nodes[-1].name]

    def _values(self, x: Tensor) -> dict[str, Tensor]:
        return walk(self.placement.nodes, {"input": x}, lambda node, given: node.operator.visit(self, node, given))

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Parameter groups for the optimizer: scales learn more slowly than what they scale."""
        return [
            {"params": list(self.latent.values()), "lr": learning_rate},
            {"params": [*self.gamma.values(), *self.beta.values()], "lr": learning_rate / 2},
            {"params": [*self.scale.values(), *self.step.values(), *self.levels.values()], "lr": learning_rate / 4},
        ]

    @torch.no_grad()
    def finished(self, integers: npt.NDArray[np.float64]) -> Parameters:
        """The trained parameters, batch norm folded in.

        Its statistics are measured once more in float64 on all of `integers` (q [samples, features]), layer by layer,
        behind layers that are final and steps that are rounded.
        """
        self.selection.settle(self.latent)
        self.move(torch.device("cpu"), torch.float64)
        parameters = Parameters(self.input)
        for group, step in self.step.items():
            rounded = round_scale(float(step.abs()) * self.steps[group], ACTIVATION_SCALE_BITS)
            parameters.steps[group] = rounded
            self.steps[group] = rounded
            step.fill_(1.0)
        for name in self.levels:
            parameters.levels[name] = self._rounded_levels(name)
        values = self._values(torch.from_numpy(integers * self.input.step))
        for name, operator in self.placement.linears.items():
            node = self.placement.node(name)
            sums = operator.linear.rows(values[node.inputs[0]]) @ self.quantized_weight(node, operator).T
            parameters.linear[name] = self._finished_linear(node, operator, sums)
        return parameters

    def _rounded_levels(self, name: str) -> npt.NDArray[np.float64]:
        """The operands of an encoding with its levels as whole numbers, from which on its values are those."""
        operator = self.placement.node(name).operator
        assert isinstance(operator, OnGrid)
        assert isinstance(operator.operator, Encode)
        level = torch.ceil(self._level(name)).clamp_(1.0, float(operator.operator.high))
        self.constants[f"{name}.level"] = level
        self.levels[name] = torch.zeros_like(level)
        operands = operator.operator.operand.copy()
        operands[operator.operator.of_rule(LEVEL)] = level.numpy()
        return operands

    def _finished_linear(self, node: PlacedNode, operator: PlacedLinear, sums: Tensor) -> LinearParameters:
        reach = float(self.constants[f"{node.name}.reach"])
        scale = (self.scale[node.name].abs() * self.constants[f"{node.name}.scale"])[:, 0].numpy()
        latent = self._kept(node.name)
        weight, beta = latent.numpy(), self.beta[node.name].numpy() * reach
        if operator.last:
            factor = np.full(1, float(self.constants[f"{node.name}.size"]))
            bias = beta
        else:
            variance, mean = torch.var_mean(sums, dim=0, unbiased=False)
            factor = np.abs(self.gamma[node.name].numpy()) * reach / np.sqrt(variance.numpy() + self.epsilon[node.name])
            bias = beta - mean.numpy() * factor
        return LinearParameters(weight * factor[:, None], np.maximum(scale * factor, 1e-200), bias)


class _Measurement(PlacementVisitor[Tensor]):
    """The values of each node while batch norms begin as the identity on them."""

    def __init__(self, network: TrainableNetwork) -> None:
        self._network = network

    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[Tensor]) -> Tensor:
        network = self._network
        weight = network.quantized_weight(node, operator)
        rows = operator.linear.rows(given[0])
        sums = rows @ weight.T
        if operator.last:
            outputs = network.begin_last(node, sums)
        else:
            outputs = network.begin_norm(node, sums, (rows.abs() @ weight.abs().T).max())
        value: Tensor = operator.linear.joined(outputs)
        return value

    def quantizer(self, node: PlacedNode, operator: PlacedQuantizer, given: list[Tensor]) -> Tensor:
        return self._network.quantizer(node, operator, given)

    def on_reals(self, node: PlacedNode, operator: FloatOperator, given: list[Tensor]) -> Tensor:
        return self._network.on_reals(node, operator, given)

    def on_integers(self, node: PlacedNode, operator: FloatOperator, given: list[Tensor]) -> Tensor:
        return self._network.on_integers(node, operator, given)


def _tensor(values: npt.NDArray[np.floating]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
