"""Searches judge by the task: R² of values, the decision of one logit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.explore.point import convert_point
from edgeml.explore.search import explore
from edgeml.explore.settings import Settings

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)).astype(np.float32)
SETTINGS = Settings(("xczu7ev",), objectives="r2,luts", widths=(8,), depth=1, bits=(4,), steps=150)


def test_a_family_of_regressions_is_trained_and_judged_by_r2(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=np.stack([50 + 9 * X[:, 0], X[:, 1] - X[:, 2]], axis=1))
    front = explore(SETTINGS, tmp_path / "d.npz", tmp_path / "search", trials=2)
    assert front["objectives"][0] == {"name": "r2", "direction": "maximize", "unit": ""}
    best = max(front["points"], key=lambda point: point["values"]["r2"])
    assert best["values"]["r2"] > 0.8
    assert {"mae", "mse", "r2"} == set(best["quality"]["validation"])
    bundle = convert_point(tmp_path / "search", best["number"], tmp_path / "bundle")
    assert bundle.network.task == "values"
    with pytest.raises(InputError, match=r"holds values\. Use r2"):
        explore(replace(SETTINGS, objectives="accuracy,luts"), tmp_path / "d.npz", tmp_path / "other", trials=1)


def test_a_model_of_one_logit_is_judged_by_its_decision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1), torch.nn.Sigmoid())
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0, 0], [-1.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
        model[0].bias.zero_()
        model[2].weight.copy_(torch.tensor([[4.0, -4.0, 0, 0]]))
        model[2].bias.zero_()
    torch.export.save(torch.export.export(model.eval(), (torch.zeros(2, 3),)), str(tmp_path / "m.pt2"))
    np.savez(tmp_path / "d.npz", x=X, y=(X[:, 0] > 0).astype(int))
    settings = replace(SETTINGS, objectives="accuracy,luts")
    front = explore(settings, tmp_path / "d.npz", tmp_path / "search", model=str(tmp_path / "m.pt2"), trials=2)
    assert max(point["values"]["accuracy"] for point in front["points"]) > 0.95
