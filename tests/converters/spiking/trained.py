"""A small float MLP trained on real data, in plain numpy: scikit-learn's handwritten digits, 64-32-24-10."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import pytest

from edgeml.data.dataset import Dataset, as_dataset
from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode


@lru_cache(maxsize=1)
def digits() -> Dataset:
    """1,797 images of 64 pixels in 0 … 1; skips where scikit-learn is missing."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return as_dataset({"x": (x / 16)[order], "y": y[order]})


@lru_cache(maxsize=1)
def trained_mlp() -> Mlp:
    """Trained with full-batch gradient descent with momentum; about 97 % on held-back digits."""
    data = digits()
    rng = np.random.default_rng(1)
    sizes = (64, 32, 24, 10)
    weights = [rng.normal(0, np.sqrt(2 / a), (b, a)) for a, b in itertools.pairwise(sizes)]
    biases = [np.zeros(b) for b in sizes[1:]]
    momentum = [np.zeros_like(p) for p in (*weights, *biases)]
    target = np.eye(10)[data.y]
    for _ in range(300):
        activations = [data.x.astype(float)]
        for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
            z = activations[-1] @ w.T + b
            activations.append(np.maximum(z, 0) if k < 2 else z)
        shifted = activations[-1] - activations[-1].max(axis=1, keepdims=True)
        p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        gradient = (p - target) / len(target)
        for k in (2, 1, 0):
            dw, db = gradient.T @ activations[k], gradient.sum(axis=0)
            gradient = (gradient @ weights[k]) * (activations[k] > 0)
            for m, step, parameter in ((momentum[k], dw, weights[k]), (momentum[3 + k], db, biases[k])):
                m *= 0.9
                m += step
                parameter -= 0.2 * m
    nodes = [MlpNode("normalise", Affine(np.full(64, 0.5), np.zeros(64)), ("input",))]
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        nodes.append(MlpNode(f"linear{k}", Linear(w * (2 if k == 0 else 1), b), (nodes[-1].name,)))
        if k < 2:
            nodes.append(MlpNode(f"relu{k}", Clamp(0.0, np.inf), (nodes[-1].name,)))
    return Mlp("digits", 64, tuple(nodes))
