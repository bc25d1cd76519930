"""Fine-tuning of a spiking network after quantization, with snnTorch's surrogate gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends.snn import Snn, SnnLayer
from edgeml.network import InputQuantizer
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.plugins import Progress

from .quantize_snn import Bits, weight_step

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["fine_tune"]


def fine_tune(
    snn: Snn,
    data: Dataset,
    quantizer: InputQuantizer,
    encoder: SpikeEncoder | None,
    unit: float,
    steps: int,
    bits: Bits,
    values: Mapping[str, Any],
    progress: Progress,
) -> Snn:
    """`snn` with weights and biases trained on while they are rounded to `bits.weight` (straight-through), decays
    rounded to `bits.decay`; cross-entropy of the spike counts. Deterministic for a seed on one machine.

    values : of the options `epochs`, `seed`, `learning_rate` and `batch_size`.

    Raises InputError if there are no labels, or the network has delays (snnTorch has none).
    """
    if data.y is None:
        raise InputError("fine-tuning", "needs the class of each sample", "Pass data with y, or --epochs 0")
    if any(layer.delays is not None for layer in snn.layers):
        raise InputError("fine-tuning", "snnTorch has no delays of synapses", "Use --epochs 0")
    epochs, batch = values["epochs"], values["batch_size"]
    import torch
    from snntorch import surrogate

    generator = torch.Generator().manual_seed(values["seed"])
    spike = surrogate.fast_sigmoid()
    layers = [_Trained(layer, bits) for layer in snn.layers]
    parameters = [p for layer in layers for p in layer.parameters]
    optimiser = torch.optim.Adam(parameters, lr=values["learning_rate"])
    q = quantizer.quantize(np.asarray(data.x, np.float64))
    events = (encoder.evaluate(q) if encoder is not None else q) * unit
    x = torch.tensor(events.reshape(len(q), steps, snn.input_size), dtype=torch.float32)
    y = torch.tensor(data.y)
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        total = 0.0
        for at in range(0, len(order), batch):
            chosen = order[at : at + batch]
            counts = _forward(layers, snn.sources, x[chosen].transpose(0, 1), spike).sum(dim=0)
            loss = torch.nn.functional.cross_entropy(counts, y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(chosen)
        progress("fine-tuning", epoch + 1, epochs, {"loss": total / len(x)})
    return dataclasses.replace(snn, layers=tuple(layer.result() for layer in layers))


class _Trained:
    """A layer's parameters in torch, rounded on the way forward."""

    def __init__(self, layer: SnnLayer, bits: Bits) -> None:
        import torch

        self.layer = layer
        self.step = weight_step(layer, bits.weight)
        self.most = 2 ** (bits.weight - 1) - 1
        self.weight = torch.tensor(layer.weight, dtype=torch.float32, requires_grad=True)
        self.bias = torch.tensor(layer.bias, dtype=torch.float32, requires_grad=True)
        self.parameters = [self.weight, self.bias]
        self.recurrent = None
        if layer.recurrent is not None:
            self.recurrent = torch.tensor(layer.recurrent, dtype=torch.float32, requires_grad=True)
            self.parameters.append(self.recurrent)
        scale = 2.0**bits.decay
        self.beta = torch.tensor(np.rint(layer.beta * scale) / scale, dtype=torch.float32)
        alpha = None if layer.alpha is None else np.rint(layer.alpha * scale) / scale
        self.alpha = None if alpha is None else torch.tensor(alpha, dtype=torch.float32)
        self.threshold = torch.tensor(layer.threshold, dtype=torch.float32)

    def rounded(self, weight: Any) -> Any:
        """To the grid of the integers; the gradient passes as if nothing had happened."""
        import torch

        on_grid = torch.clamp(torch.round(weight / self.step), -self.most, self.most) * self.step
        return weight + (on_grid - weight).detach()

    def result(self) -> SnnLayer:
        """The layer with its trained weights, clipped to the grid, so that its step stays what it was."""

        def array(tensor: Any) -> Any:
            return np.clip(tensor.detach().numpy().astype(np.float64), -self.most * self.step, self.most * self.step)

        return dataclasses.replace(
            self.layer,
            weight=array(self.weight),
            bias=self.bias.detach().numpy().astype(np.float64),
            recurrent=None if self.recurrent is None else array(self.recurrent),
        )


def _forward(layers: list[_Trained], sources: tuple[tuple[int, ...], ...], events: Any, spike: Any) -> Any:
    """Spikes [steps, samples, outputs] of the last layer, with surrogate gradients."""
    import torch

    given: dict[int, Any] = {-1: events}
    for number, trained in enumerate(layers):
        layer = trained.layer
        events = sum((given[source] for source in sources[number][1:]), given[sources[number][0]])
        arriving = events @ trained.rounded(trained.weight).T + trained.bias
        recurrent = None if trained.recurrent is None else trained.rounded(trained.recurrent)
        u = torch.zeros_like(arriving[0])
        current, spikes, sent = torch.zeros_like(u), torch.zeros_like(u), []
        for t in range(len(arriving)):
            into = arriving[t] if recurrent is None else arriving[t] + spikes @ recurrent.T
            if trained.alpha is not None:
                into = current = trained.alpha * current + into
            past = (u > trained.threshold).float()
            if layer.reset == "zero" and layer.reset_delay and not layer.drops_input:
                u = u * (1 - past)
            u = trained.beta * u + into
            integrated = u
            if layer.reset == "subtract":
                u = u - past * trained.threshold
            elif layer.reset == "zero" and layer.reset_delay and layer.drops_input:
                u = u * (1 - past)
            spikes = spike(u - trained.threshold)
            if not layer.reset_delay and layer.reset == "subtract":
                u = integrated - spikes.detach() * trained.threshold
            elif not layer.reset_delay and layer.reset == "zero":
                u = u * (1 - spikes.detach())
            sent.append(spikes)
        given[number] = torch.stack(sent)
    return given[len(layers) - 1]
