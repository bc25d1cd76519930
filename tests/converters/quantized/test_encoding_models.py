"""Models that encode their inputs themselves become integer networks that their C computes exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.network import Encode, Tables

from ...frontends.encoding_models import MODELS, inputs, trained

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
@pytest.mark.parametrize(
    "name", ["bits_shift_and_mask", "thermometer_at_least", "categories_offsets", "categories_categories_and_bits"]
)
def test_quantized(name: str, target: str, tmp_path: Path) -> None:
    model, x = trained(name), inputs(name)
    values = np.random.default_rng(0).integers(0, MODELS[name].levels, (300, len(MODELS[name].levels)))
    bundle = edgeml.convert(
        model,
        to="quantized",
        target=target,
        data={"x": values.astype(np.float64)},
        example=x[:3],
        output=tmp_path / name,
        task="classes",
        options={"bits": 8},
    )
    kinds = [type(node.layer) for node in bundle.network.nodes]
    assert Encode in kinds or Tables in kinds, kinds
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert verdicts["golden"] == "exact", verdicts
    assert "exact" in {verdicts[name] for name in verdicts if name != "golden"}, verdicts
    assert "mismatch" not in verdicts.values(), verdicts
