"""Weights that a norm computes anew (weight_norm, spectral_norm, by hooks and by parametrizations) come in as numbers;
each is checked against the module as it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp

NORMS: dict[str, Callable[[Any], Any]] = {
    "weight_norm, hook": weight_norm,
    "weight_norm, parametrization": parametrizations.weight_norm,
    "spectral_norm, hook": spectral_norm,
    "spectral_norm, parametrization": parametrizations.spectral_norm,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize("norm", sorted(NORMS))
def test_a_norm_of_weights_is_folded(norm: str, exported: bool) -> None:
    torch.manual_seed(5)
    module = nn.Sequential(NORMS[norm](nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 3)).eval()
    x = torch.randn(40, 6)
    read = load_model(torch.export.export(module, (x[:5],)) if exported else module)
    assert isinstance(read, Mlp)
    found = read.evaluate(x.numpy().astype(np.float64))
    assert np.abs(found - module(x).detach().numpy()).max() < 1e-5
