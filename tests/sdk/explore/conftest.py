"""A small problem that trains in a second: three classes, told apart by sums of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the extra explore")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(5)
    x = generator.integers(0, 16, (900, 6)).astype(np.float32)
    y = (x[:, :3].sum(axis=1) > 24).astype(np.int64) + (x[:, 3:].sum(axis=1) > 26)
    path = tmp_path_factory.mktemp("explore") / "small.npz"
    np.savez(path, x=x[:700], y=y[:700], x_test=x[700:], y_test=y[700:])
    return path
