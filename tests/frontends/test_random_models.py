"""Random MLPs: torch module, program, and ONNX by the legacy exporter are all read as the same function."""

from __future__ import annotations

import io

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from edgeml.frontends import load_model

from .architectures import computed

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Identity, nn.Hardsigmoid)
ENDS = (nn.Identity, nn.Softmax, nn.LogSoftmax)


class RandomMlp(nn.Module):
    """Up to six blocks of Linear, batch norm and activation in either order, some with a path around them."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        random = np.random.default_rng(seed)
        self.sample = [(int(random.integers(1, 40)),), (1, 3, 5), (2, 4)][random.integers(3)]
        width = int(np.prod(self.sample))
        self.register_buffer("mean", torch.from_numpy(random.normal(size=width)).float())
        self.std = float(random.uniform(0.5, 3))
        self.blocks = nn.ModuleList()
        self.around: list[bool] = []
        for _ in range(int(random.integers(1, 7))):
            around = bool(random.integers(2)) and bool(self.blocks)
            new = width if around else int(random.integers(1, 50))
            parts: list[nn.Module] = [nn.Linear(width, new, bias=bool(random.integers(4)))]
            norm, activation = nn.BatchNorm1d(new, affine=bool(random.integers(3))), random.choice(ACTIVATIONS)()
            if random.integers(2):
                parts += [norm, activation] if random.integers(2) else [activation, norm]
            else:
                parts.append(activation)
            parts.insert(int(random.integers(1, len(parts) + 1)), nn.Dropout(0.3))
            self.blocks.append(nn.Sequential(*parts))
            self.around.append(around)
            width = new
        self.head = nn.Linear(width, int(random.integers(1, 12)))
        end = ENDS[random.integers(3)]
        self.end = end(-1) if end is not nn.Identity else end()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = (x.flatten(1) - self.mean) / self.std
        for block, around in zip(self.blocks, self.around, strict=True):
            h = h + block(h) if around else block(h)
        return self.end(self.head(functional.relu(h)))


def make(seed: int) -> RandomMlp:
    torch.manual_seed(seed)
    model = RandomMlp(seed).train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(9, *model.sample))
        for part in model.modules():
            if isinstance(part, nn.BatchNorm1d) and part.affine:
                part.weight.normal_()
                part.bias.normal_()
    return model.eval()


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 40))])
def test_random_mlp(seed: int) -> None:
    model = make(seed)
    x = torch.randn(20, *model.sample) * 3
    logits = computed(model, x).numpy()
    mlp = load_model(model, example=x[:3])
    flat = x.double().reshape(len(x), -1).numpy()

    def finished(values: np.ndarray) -> np.ndarray:
        tensor = torch.from_numpy(values)
        return {"": tensor, "softmax": tensor.softmax(1), "log_softmax": tensor.log_softmax(1)}[mlp.final].numpy()

    np.testing.assert_allclose(finished(mlp.evaluate(flat)), logits, rtol=1e-9, atol=1e-9)
    program = torch.export.export(model, (x[:3],), strict=False).run_decompositions()
    again = load_model(program)
    np.testing.assert_allclose(finished(again.evaluate(flat)), logits, rtol=1e-9, atol=1e-9)
    buffer = io.BytesIO()
    torch.onnx.export(model, (x[:3],), buffer, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    from_onnx = load_model(onnx.load_model_from_string(buffer.getvalue()))
    np.testing.assert_allclose(finished(from_onnx.evaluate(flat)), logits, rtol=1e-4, atol=1e-4)
    assert mlp.final == again.final == from_onnx.final
