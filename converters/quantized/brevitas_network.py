"""The quantized model as a network of Brevitas modules in float64: what the integer network is held against.

Every scale is a constant here (training is over), set without a detour: Brevitas by default recomputes scales from
statistics, divides them by the integer range and builds float32 constants, any of which would move a scale by an ulp,
and has no scale below 1e-10.
Ties are rounded half to even by torch.round on float64 quotients. float32 would break them at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from edgeml.errors import CheckFailed
from edgeml.frontends.float_operators.arrays import REPRODUCIBLE, torch_arrays
from edgeml.frontends.float_operators.gather import Gather
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.graph_walk import walk

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from brevitas import nn as brevitas_nn
    from brevitas.core.utils import SingleArgStatelessBuffer
    from brevitas.inject.enum import QuantType, ScalingImplType, ScalingPerOutputType
    from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerChannelFloat
    from brevitas.quant.binary import SignedBinaryWeightPerTensorConst

from .model import Input, ModelNode, ModelVisitor, QuantizedLinear, QuantizedModel, Quantizer

__all__ = ["BrevitasNetwork"]

_BATCH = 1024


_TORCH = torch_arrays()


class FunctionModule(nn.Module):
    """A function such as tanh, which torch rounds by the processor: computed as thresholds and tables were made."""

    def __init__(self, operator: FloatOperator) -> None:
        super().__init__()
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        """The operator's value of real inputs [samples, channels]."""
        found = self.operator.compute(REPRODUCIBLE, self.operator.parameters, x.detach().numpy())
        return torch.from_numpy(np.ascontiguousarray(found))


class FloatModule(nn.Module):
    """A float operator of the user's model, computed in torch."""

    def __init__(self, operator: FloatOperator) -> None:
        super().__init__()
        self.operator = operator
        self.values = nn.ParameterDict(
            {
                name: nn.Parameter(torch.tensor(array), requires_grad=False)
                for name, array in operator.parameters.items()
            }
        )

    def forward(self, *inputs: Tensor) -> Tensor:
        """The operator's value of real inputs [samples, channels]."""
        value: Tensor = self.operator.compute(_TORCH, dict(self.values.items()), *inputs)
        return value


def _activation(scale: float, bits: int, signed: bool) -> nn.Module:
    quantizer = Int8ActPerTensorFloat.let(
        scaling_impl_type=ScalingImplType.CONST,
        scaling_init=torch.tensor(scale),
        scaling_min_val=None,
        int_scaling_impl=SingleArgStatelessBuffer(1.0),
        bit_width=bits,
        signed=signed,
        narrow_range=False,
    )
    module: nn.Module = brevitas_nn.QuantIdentity(act_quant=quantizer, return_quant_tensor=False)
    return module


def _linear(operator: QuantizedLinear) -> nn.Module:
    outputs, inputs = operator.weight.shape
    scale = torch.tensor(np.broadcast_to(operator.scale[:, None], (outputs, 1)).copy())
    if operator.bits == 1:
        quantizer = SignedBinaryWeightPerTensorConst.let(
            scaling_init=scale,
            scaling_impl_type=ScalingImplType.CONST,
            scaling_min_val=None,
            quant_type=QuantType.BINARY,
        )
    else:
        quantizer = Int8WeightPerChannelFloat.let(
            scaling_impl_type=ScalingImplType.CONST,
            scaling_init=scale,
            scaling_min_val=None,
            scaling_per_output_type=ScalingPerOutputType.CHANNEL,
            int_scaling_impl=SingleArgStatelessBuffer(1.0),
            bit_width=operator.bits,
            narrow_range=operator.narrow,
        )
    module: nn.Linear = brevitas_nn.QuantLinear(
        inputs, outputs, bias=True, weight_quant=quantizer, return_quant_tensor=False, dtype=torch.float64
    )
    with torch.no_grad():
        module.weight.copy_(torch.tensor(operator.weight.astype(np.float64) * operator.scale[:, None]))
        module.bias.copy_(torch.tensor(operator.bias))
    return module


class SharedModule(nn.Module):
    """One linear module at several positions."""

    def __init__(self, linear: nn.Module, gather: Gather) -> None:
        super().__init__()
        self.linear = linear
        self.gather = gather

    def forward(self, x: Tensor) -> Tensor:
        """x [samples, inputs] → [samples, positions · outputs of the module]."""
        value: Tensor = self.gather.joined(self.linear(self.gather.rows(x)))
        return value


@contextmanager
def _float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class BrevitasNetwork(nn.Module):
    """`model` built from QuantLinear and QuantIdentity, all in float64.

    Parameters
    ----------
    model : the quantized model; every operator becomes one module of `self.layers`, in the same order.
    """

    def __init__(self, model: QuantizedModel) -> None:
        super().__init__()
        self.model = model
        with _float64(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            modules = walk(model.nodes, {}, lambda node, given: node.operator.visit(_Modules(), node, given))
            self.layers = nn.ModuleList(modules.values())
        self.double().eval()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The real values of every node, for real x̂ = q · step [samples, features]."""
        layers = {node.name: layer for node, layer in zip(self.model.nodes, self.layers, strict=True)}
        return walk(self.model.nodes, {}, lambda node, given: layers[node.name](*(given or [x])))

    @torch.no_grad()
    def integers(self, q: npt.NDArray[Any], keep: bool = True) -> dict[str, npt.NDArray[np.int32]]:
        """The integers of every quantizer, of every function of integers, and of the last node, by node name.

        Parameters
        ----------
        q : integers [samples, features].
        keep : False: only those of the last node.

        Raises
        ------
        CheckFailed : a value is not a whole multiple of its scale.
        """
        step = self.model.input.step
        parts: dict[str, list[npt.NDArray[np.int32]]] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for at in range(0, max(len(q), 1), _BATCH):
                values = self(torch.from_numpy(np.asarray(q[at : at + _BATCH], np.float64) * step))
                for name in self._visible if keep else (self.model.nodes[-1].name,):
                    parts.setdefault(name, []).append(self._whole(name, values[name].numpy()))
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}

    @property
    def _visible(self) -> list[str]:
        """All nodes whose values are integers, but the input."""
        return [name for name in self.model.units if name != self.model.nodes[0].name]

    def _whole(self, name: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        ratio = values / self.model.units[name]
        if not np.array_equal(ratio, np.rint(ratio)) or (ratio.size and np.abs(ratio).max() >= 2**31):
            raise CheckFailed(f"layer {name}", "Brevitas gives values that are no whole multiples of the scale")
        return ratio.astype(np.int32)


class _Modules(ModelVisitor[nn.Module]):
    """The module at each node."""

    def input(self, node: ModelNode, operator: Input, given: list[nn.Module]) -> nn.Module:
        return _activation(operator.step, operator.bits, operator.signed)

    def linear(self, node: ModelNode, operator: QuantizedLinear, given: list[nn.Module]) -> nn.Module:
        module = _linear(operator)
        return module if operator.gather is None else SharedModule(module, operator.gather)

    def quantizer(self, node: ModelNode, operator: Quantizer, given: list[nn.Module]) -> nn.Module:
        return _activation(operator.scale, operator.bits, operator.signed)

    def on_reals(self, node: ModelNode, operator: FloatOperator, given: list[nn.Module]) -> nn.Module:
        return FunctionModule(operator) if operator.role is Role.FUNCTION else FloatModule(operator)

    def on_integers(self, node: ModelNode, operator: FloatOperator, given: list[nn.Module]) -> nn.Module:
        return FloatModule(operator)
