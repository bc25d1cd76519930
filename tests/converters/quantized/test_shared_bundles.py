"""Convolutions and mixers from files to verified bundles: every executor computes the golden integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import edgeml

from ...frontends.shared_models import picture_net

_EXAMPLE = torch.zeros(2, 1, 8, 8)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A folder with a small Conv2d net, trained for 400 steps, as .pt2 and .onnx; and scikit-learn's digits."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    torch.manual_seed(0)
    model = picture_net(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        rows = torch.randint(0, len(x) * 4 // 5, (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(torch.from_numpy(x)[rows].reshape(-1, 1, 8, 8)), torch.tensor(y)[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    folder = tmp_path_factory.mktemp("digits")
    batch = ({0: torch.export.Dim.AUTO},)
    torch.export.save(torch.export.export(model, (_EXAMPLE,), dynamic_shapes=batch), folder / "model.pt2")
    torch.onnx.export(model, (_EXAMPLE,), dynamo=True, verbose=False, dynamic_shapes=batch).save(
        str(folder / "model.onnx")
    )
    return folder, {"x": x, "y": y}


def require_exact(bundle: edgeml.Bundle) -> None:
    verdicts = edgeml.verify(bundle)
    assert {verdict.status for verdict in verdicts} <= {"exact", "unavailable"}, verdicts
    assert {"golden", "brevitas"} < {verdict.name for verdict in verdicts if verdict.status == "exact"}


@pytest.mark.parametrize(
    ("file", "bits", "target"), [("model.pt2", 4, "host"), ("model.onnx", 2, "cortex-m4"), ("model.onnx", 8, "host")]
)
@pytest.mark.slow(scaled=True)
def test_pictures_from_files(
    file: str, bits: int, target: str, digits: tuple[Path, dict[str, np.ndarray]], tmp_path: Path
) -> None:
    folder, data = digits
    options = {"bits": bits, "epochs": 0 if bits == 8 else 6}
    bundle = edgeml.convert(
        folder / file, to="quantized", target=target, data=data, options=options, output=tmp_path / "bundle"
    )
    require_exact(bundle)
    accuracy = bundle.manifest["metrics"]["accuracy"]
    assert accuracy["float"] > 0.95
    assert accuracy["integer"] > accuracy["float"] - 0.03
