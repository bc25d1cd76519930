"""What the lanes of the CPU kernels can hold: exact at the bound on every body, and another way one past it."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, trace
from edgeml.targets.c import Dialect, generate
from edgeml.targets.c.dense_kernels.crumbs import CrumbsKernel
from edgeml.targets.c.dense_kernels.kernel import DenseKernel
from edgeml.targets.c.dense_kernels.quads import QuadsKernel
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.dense_kernels.triplets import TripletsKernel
from edgeml.targets.c.layers.threshold import _narrowest
from edgeml.targets.cpu.native_network import build_native
from tests.targets.c.fan import CORNERS, channels, fan, parts_of
from tests.targets.cpu.bodies import BODIES, body_flags


def dialect(kernel: DenseKernel) -> Dialect:
    return Dialect((kernel, RowsKernel()))


def arguments(network: Network, kernel: DenseKernel) -> list[str]:
    """Those of the call of the last dense layer's kernel, its name first."""
    stages = [stage for stage in generate(network, dialect(kernel)).layout.stages if stage.job.nodes[0].name == "dense"]
    return [part.strip() for part in re.split(r"[(),;]", stages[0].code.statements[0]) if part.strip()]


def assert_exact(networks: list[Network], kernel: DenseKernel, body: str) -> None:
    """Golden's integers at every layer, singly and as a batch, at the corners of the input."""
    named = [replace(network, name=f"net{position}") for position, network in enumerate(networks)]
    for native in build_native(named, dialect(kernel), flags=body_flags(body)):
        expected = trace(native.network, CORNERS)
        np.testing.assert_array_equal(native.invoke(CORNERS), expected[native.network.nodes[-1].name])
        for name, values in native.trace(CORNERS).items():
            np.testing.assert_array_equal(values, expected[name], name)


PAIRS = {  # weights, highest values, quads that may be summed in 16 bits
    "one quad just fits, above": ([127, 2], [255, 191], 1),
    "not even one, above": ([127, 2], [254, 255], 0),
    "one quad just fits, below": ([-128, -127], [255, 1], 1),
    "not even one, below": ([-128, -128], [255, 1], 0),
    "two quads just fit": ([127, 127, 1, 1, 1, 0, 0, 0, 1], [255, 3, 1, 1, 1, 1, 1, 1, 1], 2),
    "two quads do not fit": ([127, 127, 1, 1, 1, 0, 0, 0, 1], [255, 3, 1, 1, 2, 1, 1, 1, 1], 1),
}


@pytest.mark.parametrize("case", PAIRS)
def test_as_many_quads_are_summed_in_16_bits_as_fit(case: str) -> None:
    weights, highs, run = PAIRS[case]
    found = int(arguments(channels(weights, highs, 8), QuadsKernel())[7])
    assert found == run or (run and len(weights) < 5 and found >= run)  # one quad only: any number of them fits


@pytest.mark.parametrize("body", BODIES)
def test_sums_at_the_bound_of_16_bits_are_exact(body: str) -> None:
    assert_exact([channels(weights, highs, 8) for weights, highs, _ in PAIRS.values()], QuadsKernel(), body)


def levels_network(spread: int) -> Network:
    """Two thresholds so far apart; test_bounds.py runs such."""
    nodes = (
        Node("input", InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("dense", Dense(np.tile([127, 127, 127, 1], (20, 1)), 8, np.zeros(20, int)), ("input",)),
        Node("act", Threshold(np.tile([1000, 1000 + spread], (20, 1)), 0), ("dense",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


@pytest.mark.parametrize(
    ("spread", "function"),
    [
        (254, "edgeml_blocks_levels8"),
        (255, "edgeml_blocks_levels16"),
        (2**16 - 2, "edgeml_blocks_levels16"),
        (2**16 - 1, "edgeml_blocks_sums"),
    ],
)
def test_thresholds_saturate_to_the_narrowest_type_that_tells_them_apart(spread: int, function: str) -> None:
    assert arguments(levels_network(spread), QuadsKernel())[0] == function


def triplets_network(weights: np.ndarray, threshold: int, highs: list[int]) -> Network:
    base = channels(weights.tolist(), highs, 2)
    act = Node("act", Threshold(np.full((8, 1), threshold), 0), ("dense",))
    return replace(base, nodes=(*base.nodes, act))


def test_tables_are_summed_in_bytes_as_long_as_they_fit() -> None:
    """15 groups whose entries sum to 255 at most are one run; with 3 more, they are not."""
    weights = np.ones(45, int)
    weights[[28, 43, 14, 29, 44]] = 0  # groups take inputs g, g + 15, g + 30: the last has none, the one before one
    run = arguments(triplets_network(weights, 60, [3] * 45), TripletsKernel())
    weights[14] = 1
    shorter = arguments(triplets_network(weights, 60, [3] * 45), TripletsKernel())
    assert run[0].startswith("edgeml_dense_triplets_levels")
    assert (int(run[8]), int(shorter[8]) < 15) == (15, True)


@pytest.mark.parametrize("body", BODIES)
def test_sums_of_tables_at_the_bound_of_a_byte_are_exact(body: str) -> None:
    networks = []
    for last in (0, 1):
        weights = np.ones(45, int)
        weights[[28, 43, 14, 29, 44]] = 0
        weights[14] = last
        top = 3 * int(weights.sum())
        networks.append(triplets_network(weights, top, [3] * 45))
        networks.append(triplets_network(-2 * weights, 1 - 2 * top, [3] * 45))
    assert_exact(networks, TripletsKernel(), body)


def test_tables_are_used_where_sums_fit_16_bits_and_not_past_them() -> None:
    weights, highs = parts_of(2**15, 2, 3)
    network = triplets_network(-np.array(weights), 0, highs)
    assert arguments(network, TripletsKernel())[0].startswith("edgeml_dense_triplets")
    longer = triplets_network(-np.array([*weights, 1]), 0, [*highs, 1])
    assert arguments(longer, TripletsKernel())[0].startswith("edgeml_dense_rows")


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
def test_tables_are_exact_at_the_bound_of_16_bits(body: str) -> None:
    weights, highs = parts_of(2**15, 2, 3)
    assert_exact([triplets_network(-np.array(weights), 0, highs)], TripletsKernel(), body)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kernel", [QuadsKernel(), CrumbsKernel(), RowsKernel()], ids=lambda kernel: kernel.name)
def test_sums_reach_both_ends_of_32_bits(kernel: DenseKernel, body: str) -> None:
    rows = [(1, 300), (1, 300)]
    assert_exact([fan(rows, 2, bias) for bias in (2**31 - 301, -(2**31) + 300)], kernel, body)


def test_crumbs_stay_within_their_lanes() -> None:
    """The sums of a lane, from what its body adds before it widens them."""
    text = (resources.files("edgeml.firmware_stubs") / "c" / "edgeml" / "dense_crumbs.h").read_text(encoding="utf-8")
    (run,) = {int(found) for found in re.findall(r"first \+= (\d+)", text) if found != "1"}
    code, value, fields = 3, 255, 4
    assert run * fields * code * value < 2**16 <= (run + 1) * fields * code * value  # NEON: one input of each field
    assert 2 * fields * code * value < 2**15  # AVX2: two inputs of each field
    largest = 2**31 // (64 * 2 * 255)  # AVX-512: fields stand up to 64 times too large, and the highest is signed
    for inputs in range(4 * largest - 64, 4 * largest + 64):
        taken = 64 * 2 * 255 * (inputs // 4 + 4) < 2**31
        assert not taken or -(-inputs // 16) * 4 * 128 * 255 < 2**31


@pytest.mark.parametrize(
    ("low", "expected"), [(-(2**31) + 1050, (8, 1050)), (-(2**31) + 1049, (16, 0)), (-(2**31), (16, 0))]
)
def test_thresholds_are_centred_only_where_every_sum_less_the_centre_fits(low: int, expected: tuple[int, int]) -> None:
    assert _narrowest(np.array([[1000, 1100]]), low, 5000) == expected
