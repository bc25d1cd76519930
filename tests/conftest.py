"""Fixtures that several test folders use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The project's real data; tests that need it skip, visibly, where it is absent."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is absent")
    return folder


@pytest.fixture(scope="session")
def small_network() -> Network:
    """A 2-bit network 12 → 9 → 4 with labels, random and fixed."""
    generator = np.random.default_rng(7)
    return Network(
        "small",
        (
            Node("input", InputQuantizer(12, np.array([0.25]), np.array([1.0]), 0, 8, True)),
            Node("dense1", Dense(generator.integers(-1, 2, (9, 12)), 2, generator.integers(-9, 9, 9)), ("input",)),
            Node("act1", Threshold(np.sort(generator.integers(-300, 300, (9, 3)), axis=1)), ("dense1",)),
            Node("dense2", Dense(generator.integers(-2, 2, (4, 9)), 2, generator.integers(-4, 4, 4)), ("act1",)),
        ),
        Output(np.array([0.5]), 0, ("a", "b", "c", "d")),
    )
