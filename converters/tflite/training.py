"""Quantization-aware training of narrow weights with Brevitas: 8-bit activations, weights of 2 to 6 bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import MissingTool
from edgeml.extras import install_extra
from edgeml.frontends.float_operators.arrays import torch_arrays
from edgeml.frontends.graph_walk import walk
from edgeml.network.task import BINARY, VALUES
from edgeml.plugins import Progress

from .fusion import INPUT, FloatGraph
from .options import Options
from .stages import LinearStage, Stage
from .weights import weight_scales

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset
    from edgeml.frontends.mlp import Mlp

__all__ = ["train"]

_BATCH = 128
_LEARNING_RATE = 2e-3
_LEAST = 1e-6
"""Shares of 1 are held off 0 and 1 by so much, where the cross entropy has no end."""
_ORDINARY = (2.0**-10, 2.0**10)
"""Rows whose largest weight lies between these are trained as they are; others in a power of two that takes them to 1:
the learning rate suits them then, and Brevitas, which has no scale below 1e-10, can express them."""


def train(
    graph: FloatGraph, mlp: Mlp, data: Dataset, options: Options, progress: Progress
) -> tuple[FloatGraph, dict[str, npt.NDArray[np.float64]]]:
    """`graph` with weights that lie on their integer grids, and the scales [outputs] or [1] of those by stage name.

    With classes in y the loss is cross entropy, of a binary model that of its logit or its share of 1, with values in y
    the squared distance to them, and without y that to the float model's outputs. In universal
    mode scales are powers of two. The same seed gives the same weights. Raises MissingTool without torch and Brevitas.
    """
    try:
        import brevitas.nn  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingTool("training", f"needs torch and brevitas ({error})", install_extra("convert")) from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        module = _module(graph, options)
        inputs = _float32(graph.normalised(data.x))
        loss, targets = _loss(graph, mlp, data)
        module(inputs[:1024])
        _start_scales(module, graph, options)
        _optimise(module, inputs, targets, loss, options.epochs, progress)
        return _result(module, graph, options)


def _loss(graph: FloatGraph, mlp: Mlp, data: Dataset) -> tuple[Callable[[Any, Any], Any], Any]:
    import torch

    if data.y is not None and mlp.task == VALUES:
        return torch.nn.functional.mse_loss, torch.tensor(data.y, dtype=torch.float32)
    if data.y is not None and mlp.task == BINARY:
        return _binary_loss(mlp.threshold), torch.tensor(data.y, dtype=torch.float32)[:, None]
    if data.y is not None:
        return torch.nn.functional.cross_entropy, torch.tensor(data.y)
    outputs = graph.trace(data.x)[graph.stages[-1].name]
    return torch.nn.functional.mse_loss, _float32(outputs)


def _binary_loss(threshold: float) -> Callable[[Any, Any], Any]:
    """Cross entropy of outputs that are logits (threshold 0) or shares of 1."""
    import torch

    if not threshold:
        return torch.nn.functional.binary_cross_entropy_with_logits
    return lambda outputs, y: torch.nn.functional.binary_cross_entropy(outputs.clamp(_LEAST, 1 - _LEAST), y)


def _weight_quantizer(options: Options) -> Any:
    from brevitas import quant
    from brevitas.quant import fixed_point

    if options.universal:
        return (
            fixed_point.Int8WeightPerTensorFixedPoint
            if options.per_tensor
            else fixed_point.Int8WeightPerChannelFixedPoint
        )
    return quant.Int8WeightPerTensorFloat if options.per_tensor else quant.Int8WeightPerChannelFloat


def _row_units(weight: npt.NDArray[np.float64], per_tensor: bool) -> npt.NDArray[np.float64]:
    """The power of two [outputs] or [1] that each row of weights [outputs, inputs] is trained in; 1 for most."""
    largest = np.abs(weight.reshape(1, -1) if per_tensor else weight).max(axis=1)
    extreme = (largest > 0) & ((largest < _ORDINARY[0]) | (largest > _ORDINARY[1]))
    _, exponent = np.frexp(largest)
    return np.where(extreme, np.ldexp(1.0, exponent), 1.0)


def _layer(stage: LinearStage, options: Options) -> Any:
    """Without its bias, which is added behind the row units."""
    import torch
    from brevitas.nn import QuantLinear

    outputs, inputs = stage.weight.shape
    kept = stage.operator.kept
    weight = stage.weight / _row_units(stage.weight, options.per_tensor)[:, None]
    layer = QuantLinear(
        inputs,
        outputs,
        bias=False,
        weight_quant=_weight_quantizer(options),
        weight_bit_width=options.weight_bits,
        weight_narrow_range=True,
        weight_scaling_impl_type="parameter_from_stats",
    )
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight, dtype=torch.float32))
    if kept is not None:
        mask = _float32(kept)
        layer.weight.register_hook(lambda gradient: gradient * mask)
    return layer


def _activation(low: float, universal: bool) -> Any:
    from brevitas import quant
    from brevitas.nn import QuantIdentity
    from brevitas.quant import fixed_point

    unsigned = low >= 0
    if universal:
        kind = fixed_point.Uint8ActPerTensorFixedPoint if unsigned else fixed_point.Int8ActPerTensorFixedPoint
    else:
        kind = quant.Uint8ActPerTensorFloat if unsigned else quant.Int8ActPerTensorFloat
    return QuantIdentity(act_quant=kind)


def _module(graph: FloatGraph, options: Options) -> Any:
    import torch

    arrays = torch_arrays()

    class Trainee(torch.nn.Module):
        """The graph with quantizers in it; the output stays real, so that the loss sees every difference."""

        def __init__(self) -> None:
            super().__init__()
            linear = graph.trained.values()
            inner = [s for s in graph.stages[:-1] if s.traits is None and not s.keeps_integers]
            self.layers = torch.nn.ModuleDict({stage.name: _layer(stage, options) for stage in linear})
            self.biases = torch.nn.ParameterDict({stage.name: _float32(stage.bias) for stage in linear})
            self.units = {stage.name: _float32(_row_units(stage.weight, options.per_tensor)) for stage in linear}
            self.activations = torch.nn.ModuleDict(
                {INPUT: _activation(-np.inf, options.universal)}
                | {stage.name: _activation(stage.low, options.universal) for stage in inner}
            )

        def forward(self, x: Any) -> Any:
            return walk(graph.stages, {INPUT: self.activations[INPUT](x)}, self.stage)[graph.stages[-1].name]

        def stage(self, stage: Stage, given: list[Any]) -> Any:
            """A stage's values behind its quantizer."""
            if stage.name in graph.trained:
                operator = graph.trained[stage.name].operator
                sums = self.layers[stage.name](operator.rows(given[0]))
                y = operator.joined(sums * self.units[stage.name] + self.biases[stage.name])
            else:
                parameters = {name: _float32(values) for name, values in stage.operator.parameters.items()}
                y = stage.operator.compute(arrays, parameters, *given)
            y = stage.clipped(arrays, y)
            return self.activations[stage.name](y) if stage.name in self.activations else y

    return Trainee()


def _start_scales(module: Any, graph: FloatGraph, options: Options) -> None:
    """Begin with the scales of least squared error: with those of the largest weight, most weights begin as 0."""
    import torch

    largest = 2 ** (options.weight_bits - 1) - 1
    for stage in graph.trained.values():
        scale = weight_scales(
            stage.weight, options.weight_bits, per_tensor=options.per_tensor, powers_of_two=options.universal
        ) / _row_units(stage.weight, options.per_tensor)
        value = module.layers[stage.name].weight_quant.tensor_quant.scaling_impl.value
        start = scale * largest
        if options.universal:
            # A power-of-two scale is 2^ceil(value) over 2^(bits−1): stand in the middle of the step.
            start = np.log2(scale * 2 ** (options.weight_bits - 1)) - 0.5
        with torch.no_grad():
            value.copy_(torch.tensor(start, dtype=torch.float32).reshape(value.shape))


def _optimise(
    module: Any, inputs: Any, targets: Any, loss: Callable[[Any, Any], Any], epochs: int, progress: Progress
) -> None:
    import torch

    optimizer = torch.optim.Adam(module.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=_LEARNING_RATE / 100)
    module.train()
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.split(torch.randperm(len(inputs)), _BATCH):
            optimizer.zero_grad()
            error = loss(module(inputs[chosen]), targets[chosen])
            error.backward()
            optimizer.step()
            total += float(error.detach()) * len(chosen)
        schedule.step()
        progress("training", epoch + 1, epochs, {"loss": total / len(inputs)})
    module.eval()


def _result(module: Any, graph: FloatGraph, options: Options) -> tuple[FloatGraph, dict[str, npt.NDArray[np.float64]]]:
    import torch

    trained: dict[str, Stage] = {}
    scales = {}
    for name, stage in graph.trained.items():
        with torch.no_grad():
            quantized = module.layers[name].quant_weight()
        scale = quantized.scale.detach().double().numpy().reshape(-1)
        if options.universal:
            scale = _power_of_two(scale)
        integers = np.rint(quantized.value.detach().double().numpy() / scale[:, None])
        scales[name] = scale = scale * _row_units(stage.weight, options.per_tensor)
        bias = module.biases[name].detach().double().numpy()
        trained[name] = stage.with_parameters(integers * scale[:, None], bias)
    return graph.with_stages(tuple(trained.get(stage.name, stage) for stage in graph.stages)), scales


def _power_of_two(scale: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each scale as the power of two that it is, or the next above it. Brevitas gives a row of zeros its least scale,
    which is none; and 2^x of a float32 tensor may be an ulp beside one, on some processors."""
    return np.asarray(2.0 ** np.ceil(np.log2(scale) - 1e-3))


def _float32(values: npt.NDArray[np.float64]) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.float32)
