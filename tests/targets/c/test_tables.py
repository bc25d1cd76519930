"""C of sums of tables: golden's integers on every body of this machine, from what is stored of any layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, trace
from edgeml.network.layers.tables import Tables
from edgeml.targets.c.table_storage import stored_tables
from edgeml.targets.c.tensor import Tensor
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import core_kernels, dialect_for
from tests.sweeps import seeds
from tests.targets.cpu.bodies import BODIES, body_flags
from tests.targets.tables_networks import kan, mixed, random_tables, requantized, tables_inputs


def exact(native: NativeNetwork, count: int = 100) -> None:
    """Singly and in batches, at every layer that has a place in memory, and each stage alone at its corners."""
    network = native.network
    q = tables_inputs(network, 1, count)
    expected = trace(network, q)
    np.testing.assert_array_equal(native.invoke(q), expected[network.nodes[-1].name])
    for name, values in native.trace(q).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=f"{network.name}, layer {name}")
    native.check_layers()


def one_layer(layer: Tables, input_bits: int, name: str = "net") -> Network:
    quantizer = InputQuantizer(layer.inputs, np.array([1.0]), np.array([0.0]), 0, input_bits, False)
    return Network(name, (Node("input", quantizer), Node("tables", layer, ("input",))), Output(np.array([1.0])))


@pytest.mark.parametrize("body", BODIES)
def test_any_layer_gives_the_integers_of_golden(body: str) -> None:
    networks = [random_tables(seed, f"net{seed}") for seed in range(6)]
    networks += [kan(3, (16, 65, 10), 2, 2, "kan2"), kan(4, (9, 34, 300, 7), 3, 4, "kan4"), mixed(5), requantized(6)]
    for native in build_native(networks, flags=body_flags(body)):
        exact(native)


@pytest.mark.slow(scaled=True)
def test_twenty_thousand_vectors_of_random_layers_are_exact_on_every_body() -> None:
    for body in BODIES:
        try:
            flags = body_flags(body)
        except pytest.skip.Exception:
            continue
        made = [random_tables(seed, f"net{seed}") for seed in seeds(100, 40)]
        made += [kan(seed, (20, 33, 10), 1 + seed % 6, 1 + seed % 8, f"kan{seed}") for seed in seeds(7, 20)]
        made += [mixed(seed, name=f"mixed{seed}") for seed in seeds(9, 10)]
        for native in build_native(made, flags=flags):
            exact(native, 20_000)


@pytest.mark.parametrize(("bits", "values"), [(2, 1), (2, 3), (4, 15), (8, 255)])
@pytest.mark.parametrize("vectors", [False, True])
def test_lanes_hold_the_largest_sums(bits: int, values: int, vectors: bool) -> None:
    """Entries 0 and the largest that their fields hold: in runs as long as lanes take, and one longer."""
    longest = (2 ** (4 * bits) - 1) // values if bits == 2 else 3 * ((2 ** (2 * bits) - 1) // values)
    for features in (longest, longest + 1, 2 * longest + 1):
        entries = np.zeros((2, 33), int)
        entries[1] = values
        entries -= 128 if bits == 8 else 0
        rows = np.tile([0, 1], (features, 1))
        layer = Tables(entries, 8, rows, np.arange(features), np.zeros(33, int), features)
        dialect = CPU_DIALECT if vectors else replace(dialect_for(core_kernels(core("m4"))), tile=4)
        exact(NativeNetwork(one_layer(layer, 1), dialect, flags=body_flags("portable")[: 1 + (not vectors)]), 8)


def test_only_rows_that_values_reach_are_stored_and_a_row_once_where_that_is_smaller() -> None:
    generator = np.random.default_rng(0)
    x = Tensor.make("x", InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 2, False).output_range(), 16)
    entries = generator.integers(-2, 2, (64, 16))
    every = Tables(entries, 2, np.arange(64).reshape(4, 16), np.arange(4), np.zeros(16, int), 4)
    stored = stored_tables(every, x)
    assert len(stored.rows) == 16
    assert stored.row_of is None
    assert stored.step == 4
    repeated = Tables(entries[:2], 2, generator.integers(0, 2, (4, 16)), np.arange(4), np.zeros(16, int), 4)
    stored = stored_tables(repeated, x)
    assert len(stored.rows) <= 2
    assert stored.row_of is not None


def test_a_feature_that_changes_nothing_costs_nothing() -> None:
    entries = np.array([[3, -4], [3, -4], [1, 1], [0, 2]])
    rows = np.array([[0, 1, 0, 1], [2, 3, 2, 3], [1, 1, 1, 1]])
    layer = Tables(entries, 3, rows, [0, 1, 2], [10, 20], 3)
    x = Tensor.make("x", InputQuantizer(3, np.array([1.0]), np.array([0.0]), 0, 2, False).output_range(), 16)
    stored = stored_tables(layer, x)
    assert stored.source.tolist() == [1]
    assert len(stored.rows) == 2
    exact(NativeNetwork(one_layer(layer, 2), flags=body_flags("portable")))
    constant = Tables(entries, 3, rows[[0, 2, 2]], [0, 1, 2], [10, 20], 3)
    exact(NativeNetwork(one_layer(constant, 2), flags=body_flags("portable")))


@pytest.mark.parametrize("low", [0, 1000])
def test_sums_of_another_layer_pick_rows(low: int) -> None:
    """Values that are stored in 8, 16 and 32 bits, not from 0 on."""
    generator = np.random.default_rng(low)
    for span in (3, 100):
        dense = Dense(np.eye(5, dtype=int) * span, 8, np.full(5, low))
        quantizer = InputQuantizer(5, np.array([1.0]), np.array([0.0]), 0, 3, False)
        values = low + 7 * span + 1
        entries = generator.integers(-8, 8, (values, 20))
        layer = Tables(entries, 4, np.tile(np.arange(values), (7, 1)), [0, 1, 2, 3, 4, 4, 0], np.arange(20), 5)
        nodes = (Node("input", quantizer), Node("dense", dense, ("input",)), Node("tables", layer, ("dense",)))
        native = NativeNetwork(Network("deep", nodes, Output(np.array([1.0]))), flags=body_flags("portable"))
        q = np.random.default_rng(1).integers(0, 8, (50, 5)).astype(np.int32)
        np.testing.assert_array_equal(native.invoke(q), trace(native.network, q)["tables"])
        native.check_layers()


def test_more_rows_than_sixteen_bits_count_are_found() -> None:
    generator = np.random.default_rng(8)
    entries = generator.integers(-2, 2, (257 * 256, 1))
    layer = Tables(entries, 2, np.arange(257 * 256).reshape(257, 256), np.arange(257)[::-1], [0], 257)
    exact(NativeNetwork(one_layer(layer, 8), flags=body_flags("portable")))
