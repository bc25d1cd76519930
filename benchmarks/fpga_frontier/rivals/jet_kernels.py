"""Prints the quantized kernels of a trained HGQ network as JSON: {layer: [inputs][outputs]}."""

from __future__ import annotations

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import hgq.layers  # noqa: F401  (Keras finds HGQ's layers by it)
import keras
import numpy as np


def main(path: str) -> None:
    """Print the kernels."""
    model = keras.models.load_model(path, compile=False)
    kernels = {}
    for layer in model.layers:
        if hasattr(layer, "qkernel"):
            kernels[layer.name] = np.asarray(layer.qkernel, np.float64).tolist()
    print(json.dumps(kernels))


if __name__ == "__main__":
    main(sys.argv[1])
