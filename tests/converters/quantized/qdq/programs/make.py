"""Makes the programs of this folder: small models quantized by torchao's pt2e, and what torch computes for them.

Run it where torchao is installed (`pip install torchao==0.18.0`, beside torch 2.13), from any folder: `python make.py`.
`NAME.npz` holds inputs `x` and the program's outputs `y`, float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.testing.pt2e._xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config

HERE = Path(__file__).parent
SAMPLES = 200


class Residual(nn.Module):
    """A sum of two branches, a ReLU behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, 6] → [batch, 3]."""
        hidden = torch.relu(self.first(x))
        return self.last(torch.relu(hidden + self.second(hidden)))


def convolution() -> nn.Module:
    """A convolution with padding, a pool, and a linear layer."""
    return nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(16, 3))


def main() -> None:
    """Write both programs, stack traces removed."""
    for name, model, shape in (("residual", Residual(), (6,)), ("convolution", convolution(), (2, 8))):
        torch.manual_seed(3)
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.4)
        x = torch.randn(SAMPLES, *shape)
        dynamic = ({0: torch.export.Dim("batch")},)
        program = torch.export.export(model.eval(), (x[:7],), dynamic_shapes=dynamic)
        quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
        prepared = prepare_pt2e(program.module(), quantizer)
        prepared(x)
        quantized = convert_pt2e(prepared)
        found = torch.export.export(quantized, (x[:7],), dynamic_shapes=dynamic)
        for node in found.graph.nodes:
            node.meta.pop("stack_trace", None)
        torch.export.save(found, HERE / f"{name}.pt2")
        np.savez_compressed(HERE / f"{name}.npz", x=x.numpy(), y=quantized(x).detach().numpy())


if __name__ == "__main__":
    main()
