"""Prints the quantized kernels of trained HGQ networks as JSON, a line for each: {layer: [inputs][outputs]}."""

from __future__ import annotations

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import hgq.layers  # noqa: F401  (Keras finds HGQ's layers by it)
import keras
import numpy as np


def print_kernels(path: str) -> None:
    """Print the kernels of the network in a file."""
    model = keras.models.load_model(path, compile=False)
    kernels = {}
    for layer in model.layers:
        if hasattr(layer, "qkernel"):
            kernels[layer.name] = np.asarray(layer.qkernel, np.float64).tolist()
    print(json.dumps(kernels), flush=True)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print_kernels(path)
