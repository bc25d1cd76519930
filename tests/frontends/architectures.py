"""Models whose forward is an MLP, written in the ways in which people write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Functional(nn.Module):
    """A module whose forward is `function(self, x)`; tensors among the parts become buffers."""

    def __init__(self, function: Callable[[Any, torch.Tensor], torch.Tensor], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, torch.Tensor):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self, x)


class Hourglass(nn.Module):
    """Wide, narrow, wide, with a residual path around the narrow part."""

    def __init__(self, wide: int = 8, narrow: int = 3) -> None:
        super().__init__()
        self.down = nn.Linear(wide, narrow)
        self.down_norm = nn.BatchNorm1d(narrow)
        self.up = nn.Linear(narrow, wide)
        self.head = nn.Linear(wide, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        narrow = functional.relu(self.down_norm(self.down(x)))
        return self.head(functional.relu(x + self.up(narrow)))


class WideNarrowWide(nn.Module):
    """Two residual blocks, normalisation behind the activation, dropout everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(8, 12), nn.ReLU6(), nn.BatchNorm1d(12))
        self.block1 = nn.Sequential(nn.Linear(12, 5), nn.Hardtanh(), nn.Dropout(0.2), nn.Linear(5, 12))
        self.block2 = nn.Sequential(nn.Linear(12, 5, bias=False), nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 12))
        self.head = nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.stem(x)
        h = h + self.block1(h)
        h = torch.add(self.block2(h), h)
        return self.head(h).log_softmax(dim=-1)


class Normalised(nn.Module):
    """(x − mean) / std in the model, one of the two stored beside the weights, the other only in the program."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.randn(8))
        self.register_buffer("std", torch.rand(8) + 0.5, persistent=False)
        self.gain = torch.randn(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc((x - self.mean) / self.std * self.gain)


class Shared(nn.Module):
    """One layer used twice: both uses are layers of their own, with the same weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.relu(self.fc(x)))


def linear(inputs: int = 8, outputs: int = 5, **options: Any) -> nn.Linear:
    return nn.Linear(inputs, outputs, **options)


@dataclass(frozen=True)
class Architecture:
    """A model and the shape of one sample."""

    make: Callable[[], nn.Module]
    sample: tuple[int, ...] = (8,)
    final: str = ""


def _quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.75 * x)


def _softsign(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + x.abs())


def _relu_squared(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x) * torch.relu(x)


ARCHITECTURES: dict[str, Architecture] = {
    "plain": Architecture(lambda: nn.Sequential(linear(), nn.ReLU(), linear(5, 3))),
    "without_bias": Architecture(lambda: nn.Sequential(linear(bias=False), nn.ReLU(), linear(5, 3, bias=False))),
    "norm_before": Architecture(lambda: nn.Sequential(linear(), nn.BatchNorm1d(5), nn.ReLU(), linear(5, 3))),
    "norm_behind": Architecture(lambda: nn.Sequential(linear(), nn.ReLU(), nn.BatchNorm1d(5), linear(5, 3))),
    "norm_plain": Architecture(lambda: nn.Sequential(nn.BatchNorm1d(8), linear(), nn.BatchNorm1d(5, affine=False))),
    "in_place": Architecture(
        lambda: nn.Sequential(linear(), nn.ReLU(inplace=True), linear(5, 4), nn.ReLU6(inplace=True))
    ),
    "hardtanh": Architecture(lambda: nn.Sequential(linear(), nn.Hardtanh(-2, 0.5), linear(5, 4), nn.Hardtanh(0, 1))),
    "sigmoid_tanh": Architecture(lambda: nn.Sequential(linear(), nn.Sigmoid(), linear(5, 4), nn.Tanh(), linear(4, 1))),
    "functions_of_one": Architecture(
        lambda: nn.Sequential(
            *(linear(), nn.GELU(), linear(5, 5), nn.GELU("tanh"), linear(5, 5), nn.SiLU(), linear(5, 5), nn.Mish()),
            *(linear(5, 5), nn.Softplus(2.0), linear(5, 5), nn.Hardswish(), linear(5, 5), nn.Softsign(), linear(5, 3)),
        )
    ),
    "bends_at_zero": Architecture(
        lambda: nn.Sequential(
            *(linear(), nn.ELU(0.75), linear(5, 5), nn.CELU(1.5), linear(5, 5), nn.PReLU(5)),
            *(linear(5, 5), nn.LeakyReLU(0.125), linear(5, 5), nn.RReLU(0.125, 0.375), linear(5, 3)),
        )
    ),
    "functions_written_out": Architecture(
        lambda: Functional(
            lambda m, x: m.d(_relu_squared(m.c(_quick_gelu(m.b(_softsign(m.a(x))))))),
            **{name: linear(8 if name == "a" else 5) for name in "abcd"},
        )
    ),
    "hardsigmoid": Architecture(lambda: nn.Sequential(linear(), nn.Hardsigmoid(), linear(5, 4))),
    "image": Architecture(lambda: nn.Sequential(nn.Flatten(), linear(28, 6), nn.ReLU(), linear(6, 3)), (1, 4, 7)),
    "unflatten": Architecture(lambda: nn.Sequential(linear(), nn.Unflatten(1, (5, 1)), nn.Flatten(), nn.Identity())),
    "dropouts": Architecture(
        lambda: nn.Sequential(nn.Dropout(), linear(), nn.AlphaDropout(), nn.FeatureAlphaDropout(), nn.Dropout1d())
    ),
    "softmax": Architecture(lambda: nn.Sequential(linear(), nn.Softmax(dim=1)), final="softmax"),
    "log_softmax": Architecture(lambda: nn.Sequential(linear(), nn.LogSoftmax(-1)), final="log_softmax"),
    "argmax": Architecture(lambda: Functional(lambda m, x: m.fc(x).argmax(-1), fc=linear()), final="argmax"),
    "softmax_argmax": Architecture(
        lambda: Functional(lambda m, x: m.fc(x).softmax(1).argmax(1, keepdim=True), fc=linear()), final="argmax"
    ),
    "hourglass": Architecture(Hourglass),
    "wide_narrow_wide": Architecture(WideNarrowWide, final="log_softmax"),
    "normalised": Architecture(Normalised),
    "shared": Architecture(Shared),
    "residual_input": Architecture(lambda: Functional(lambda m, x: x + m.fc(x) - torch.relu(x), fc=linear(8, 8))),
    "residual_in_place": Architecture(lambda: Functional(lambda m, x: m.fc(x).relu_().add_(x), fc=linear(8, 8))),
    "changed_under_a_view": Architecture(
        lambda: Functional(
            lambda m, x: (lambda h, v: (v.relu_(), m.out(h))[1])(*(lambda h: (h, h.view(-1, 5)))(m.fc(x))),
            fc=linear(),
            out=linear(5, 3),
        )
    ),
    "scaled_residual": Architecture(
        lambda: Functional(lambda m, x: torch.add(m.a(x), m.b(x), alpha=3), a=linear(), b=linear())
    ),
    "pixel_scaling": Architecture(lambda: Functional(lambda m, x: m.fc((x / 255.0 - 0.13) * 3.2), fc=linear())),
    "one_minus": Architecture(lambda: Functional(lambda m, x: m.fc(-(1 - x) + 2 * x), fc=linear())),
    "computed_std": Architecture(
        lambda: Functional(
            lambda m, x: m.fc((x - m.mean) * torch.rsqrt(m.var + 1e-5) / torch.sqrt(m.var)),
            fc=linear(),
            mean=torch.randn(8),
            var=torch.rand(8) + 0.1,
        )
    ),
    "constants": Architecture(
        lambda: Functional(
            lambda m, x: m.fc((x - torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8])) * torch.ones(8)), fc=linear()
        )
    ),
    "in_place_arithmetic": Architecture(lambda: Functional(lambda m, x: m.fc(x).add_(1).mul_(2), fc=linear())),
    "clamps": Architecture(
        lambda: Functional(
            lambda m, x: m.out(m.fc(x).clamp(-1, 2).clamp(min=-0.5).clamp_max(1.5)), fc=linear(), out=linear(5, 2)
        )
    ),
    "maximum": Architecture(lambda: Functional(lambda m, x: torch.maximum(m.fc(x), torch.tensor(0.0)), fc=linear())),
    "views": Architecture(
        lambda: Functional(
            lambda m, x: m.fc(x.view(x.size(0), -1).reshape(-1, 8).unsqueeze(1).squeeze(1)).squeeze(-1), fc=linear(8, 1)
        )
    ),
    "batch_last": Architecture(lambda: Functional(lambda m, x: (m.w @ x.t()).t(), w=torch.randn(5, 8))),
    "matmul": Architecture(lambda: Functional(lambda m, x: x @ m.w + m.c, w=torch.randn(8, 5), c=torch.randn(5))),
    "mm": Architecture(lambda: Functional(lambda m, x: torch.mm(x, m.w.t()), w=torch.randn(5, 8))),
    "addmm": Architecture(
        lambda: Functional(
            lambda m, x: torch.addmm(m.c, x, m.w, beta=0.5, alpha=2.0), w=torch.randn(8, 5), c=torch.randn(5)
        )
    ),
    "conversions": Architecture(
        lambda: Functional(lambda m, x: m.fc(x.contiguous().clone().detach()).to(torch.float64), fc=linear())
    ),
    "no_grad": Architecture(lambda: Functional(lambda m, x: torch.no_grad()(lambda: m.fc(x))(), fc=linear())),
    "weight_norm": Architecture(lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(linear()), nn.ReLU())),
}


def trained(name: str, seed: int = 0) -> nn.Module:
    """The model called so in evaluation mode, with the statistics of a few batches and gammas of both signs."""
    torch.manual_seed(seed)
    architecture = ARCHITECTURES[name]
    model = architecture.make().train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(16, *architecture.sample) * 2 + 0.5)
        for part in model.modules():
            if isinstance(part, nn.BatchNorm1d) and part.affine:
                part.weight.uniform_(-1, 1)
                part.weight[0] = 0
                part.bias.uniform_(-1, 1)
    return model.eval()


def samples(name: str, count: int = 6, seed: int = 1) -> torch.Tensor:
    """Random inputs for the model called so, float32."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *ARCHITECTURES[name].sample, generator=generator) * 3


def computed(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What the model computes for x in float64."""
    import copy

    exact = copy.deepcopy(model).double().eval()
    for part in exact.modules():
        for key, value in vars(part).items():
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                setattr(part, key, value.double())
    with torch.no_grad():
        return exact(x.double())
