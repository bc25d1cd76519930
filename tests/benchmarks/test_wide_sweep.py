"""The wide sweep runs, counts what it ran, and sees a wrong integer; a tenth of it for each commit."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import wide_sweep
from edgeml.network import Dense, simulate
from tests import sweeps


def test_networks_are_of_every_width_and_the_same_each_time() -> None:
    drawn = [wide_sweep.draw(seed) for seed in range(25)]
    sizes = {size for network in drawn for size in network.sizes.values()}
    assert min(sizes) <= 4
    assert max(sizes) > 900
    dense = [node.layer for network in drawn for node in network.layers if isinstance(node.layer, Dense)]
    assert len({layer.weight_bits for layer in dense}) > 5
    assert any(np.mean(layer.weight == 0) > 0.8 for layer in dense)
    again = wide_sweep.draw(3)
    for node, other in zip(drawn[3].layers, again.layers, strict=True):
        for name, array in node.layer.parts()[1].items():
            np.testing.assert_array_equal(array, other.layer.parts()[1][name])


def test_vectors_begin_with_what_is_derived_and_are_as_many_as_asked_for() -> None:
    network = wide_sweep.draw(1)
    q, y = wide_sweep.vectors_for(network, 120)
    assert len(q) == len(y) == 120
    np.testing.assert_array_equal(y, simulate(network, q))
    quantizer = network.quantizer
    assert (q[0] == quantizer.low).all()
    assert (q[1] == quantizer.high).all()


def test_a_wrong_integer_is_counted() -> None:
    count = wide_sweep.Count("core")
    y = np.zeros((5, 2), np.int32)
    wrong = y.copy()
    wrong[3, 1] = 1
    count.add(y, y, iter(["a", ""]))
    count.add(wrong, y, iter(["b"]))
    assert (count.networks, count.vectors, count.mismatches, count.kernels) == (2, 10, 1, {"a", "b"})
    assert "1 mismatches" in count.line()


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", ["m0", "m3", "m4", "m7", "m33", "rv32", *wide_sweep.BODIES])
def test_every_core_and_body_is_exact_at_the_extremes_of_every_layer(name: str) -> None:
    _sweep(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m55", *wide_sweep.NEON])
def test_what_takes_long_to_emulate_is_exact_at_the_extremes_of_every_layer(name: str) -> None:
    """Each commit one of them; others of their tests run each time."""
    _sweep(name)


def _sweep(name: str) -> None:
    (count,) = wide_sweep.sweep(sweeps.cases(20_000), sweeps.seed_for(0), [name])
    if count.missing:
        pytest.skip(count.missing)
    assert count.vectors >= sweeps.cases(20_000)
    assert count.mismatches == 0, count.line()
