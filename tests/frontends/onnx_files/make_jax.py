"""Makes `jax.onnx`, `flax.onnx` and `flax_conv.onnx`, and beside each what JAX gives for samples.

pip install jax==0.10.2 flax==0.12.8 jax2onnx==0.17.1 && python make_jax.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax2onnx import to_onnx

FOLDER = Path(__file__).resolve().parent


class Mlp(nnx.Module):
    """Inputs normalised in the model, a batch norm, GELU, softmax."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first, self.second, self.last = (
            nnx.Linear(inputs, outputs, rngs=rngs) for inputs, outputs in ((6, 16), (16, 8), (8, 3))
        )
        self.norm = nnx.BatchNorm(16, use_running_average=True, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = jax.nn.relu(self.norm(self.first((x - 1.5) / 2.0)))
        return jax.nn.softmax(self.last(jax.nn.gelu(self.second(x))))


class Conv(nnx.Module):
    """A convolution over time, channels last as Flax has them."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(3, 4, kernel_size=(3,), rngs=rngs)
        self.last = nnx.Linear(4 * 8, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = jax.nn.relu(self.conv(x))
        return self.last(x.reshape(x.shape[0], -1))


def plain() -> Any:
    """A function of arrays, without a library of layers."""
    generator = np.random.default_rng(1)
    w, b, v, c = (jnp.asarray(generator.normal(size=size), jnp.float32) for size in ((6, 12), 12, (12, 3), 3))
    return lambda x: jnp.tanh(jnp.maximum(x @ w + b, 0)) @ v + c


def main() -> None:
    models = {"jax": (plain(), (6,)), "flax": (Mlp(nnx.Rngs(0)), (6,)), "flax_conv": (Conv(nnx.Rngs(0)), (8, 3))}
    for name, (model, shape) in models.items():
        to_onnx(model, [("B", *shape)], return_mode="file", output_path=str(FOLDER / f"{name}.onnx"))
        x = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
        np.savez_compressed(FOLDER / f"{name}.npz", x=x, y=np.asarray(model(x)))


if __name__ == "__main__":
    main()
