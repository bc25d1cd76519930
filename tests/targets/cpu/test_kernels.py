"""Generated C against the golden simulator, layer by layer, for every body of the kernels."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from edgeml.errors import NetworkError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate, trace
from edgeml.targets.c import Dialect, generate
from edgeml.targets.c.dense_kernels.crumbs import CrumbsKernel
from edgeml.targets.c.dense_kernels.kernel import DenseKernel
from edgeml.targets.c.dense_kernels.quads import QuadsKernel
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.c.dense_kernels.triplets import TripletsKernel
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.network.obvious_reference import obvious_trace
from tests.network.random_networks import Shape, network_of, random_inputs, random_network, shapes
from tests.sweeps import cases, seeds
from tests.targets.cpu.bodies import AMX, BODIES, body_flags, native_flags, the_compiler

KERNELS: dict[str, DenseKernel] = {
    kernel.name: kernel for kernel in (QuadsKernel(), CrumbsKernel(), TripletsKernel(), RowsKernel())
}


def assert_equals_golden(native: NativeNetwork, samples: int, seed: int) -> None:
    """Batched outputs and every traced layer equal golden's; `samples` is not a multiple of the tile."""
    network = native.network
    q = random_inputs(network, samples, seed)
    expected = trace(network, q)
    np.testing.assert_array_equal(native.invoke(q), expected[network.nodes[-1].name])
    found = native.trace(q)
    assert network.nodes[-1].name in found
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=f"{network.name}, layer {name}")


def two_layers(
    weight_bits: int, widths: tuple[int, int, int], input_bits: int, spread: float, levels: int = 3
) -> Network:
    """dense, thresholds `spread` of the accumulator's range apart from each other, dense."""
    rng = np.random.default_rng([weight_bits, *widths, input_bits])
    inputs, hidden, outputs = widths
    low, high = (-1, 2) if weight_bits == 1 else (-(2 ** (weight_bits - 1)), 2 ** (weight_bits - 1))

    def weights(*shape: int) -> np.ndarray:
        return rng.choice([-1, 1], shape) if weight_bits == 1 else rng.integers(low, high, shape)

    dense = Dense(weights(hidden, inputs), weight_bits, rng.integers(-50, 50, hidden))
    quantizer = InputQuantizer(inputs, np.array([0.1]), np.array([0.0]), 0, input_bits, False)
    reach = dense.output_range(quantizer.output_range())
    middle, width = (reach.low + reach.high) // 2, spread * (reach.high - reach.low)
    steps = np.arange(levels) - (levels - 1) / 2
    thresholds = np.rint(middle[:, None] + steps * width[:, None] + rng.normal(0, 1, (hidden, levels))).astype(int)
    return Network(
        "two",
        (
            Node("input", quantizer),
            Node("first", dense, ("input",)),
            Node("act", Threshold(np.sort(thresholds, axis=1)), ("first",)),
            Node("second", Dense(weights(outputs, hidden), weight_bits, rng.integers(-50, 50, outputs)), ("act",)),
        ),
        Output(np.array([1.0])),
    )


@pytest.mark.parametrize("body", BODIES)
def test_random_networks_equal_golden_at_every_layer(body: str) -> None:
    networks = [random_network(seed, f"random{seed}") for seed in range(6)]
    for seed, native in enumerate(build_native(networks, flags=body_flags(body))):
        assert_equals_golden(native, 21, seed)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", BODIES)
def test_many_random_networks_equal_golden_at_every_layer(body: str) -> None:
    flags = body_flags(body)
    every = seeds(1000, 300)
    for start in range(0, len(every), 50):
        networks = [random_network(seed, f"random{seed}") for seed in every[start : start + 50]]
        for seed, native in enumerate(build_native(networks, flags=flags), every[start]):
            assert_equals_golden(native, 35, seed)


def test_golden_equals_the_obvious_reference() -> None:
    for seed in range(40):
        network = random_network(seed, widest=60)
        q = random_inputs(network, 3, seed)
        golden = trace(network, q)
        for row in range(3):
            obvious = obvious_trace(network, q[row].tolist())
            assert {name: values[row].tolist() for name, values in golden.items()} == obvious


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(shape=shapes(widest=100))
def test_networks_of_any_shape_equal_golden(shape: Shape) -> None:
    try:
        network = network_of(shape)
    except NetworkError:
        assume(False)
    assert_equals_golden(NativeNetwork(network, flags=native_flags()), 11, 1)


@pytest.mark.slow(scaled=True)
@settings(max_examples=cases(150), suppress_health_check=list(HealthCheck))
@given(shape=shapes())
def test_many_networks_of_any_shape_equal_golden(shape: Shape) -> None:
    try:
        network = network_of(shape)
    except NetworkError:
        assume(False)
    assert_equals_golden(NativeNetwork(network, flags=native_flags()), 11, 1)


@pytest.mark.parametrize("body", [*BODIES, AMX])
@pytest.mark.parametrize("kernel", ["quads", "crumbs", "triplets"])
def test_a_kernel_with_every_block_and_threshold_width(kernel: str, body: str) -> None:
    """Blocks of one, two, three (filled up) and four vectors, several blocks, thresholds of 8 and of 16 bits, inputs
    that fill their last vector and that do not; for AMX so many that tiles are used, with inputs left over, and without
    thresholds behind."""
    sizes = {
        (1, 1, 0.2),
        (64, 17, 0.35),
        (65, 33, 0.01),
        (130, 64, 0.01),
        (130, 64, 0.35),
        (300, 145, 0.01),
        (530, 17, 0.35),
    }
    if body == AMX:
        sizes |= {(530, 9, 0.35), (40, 400, 0.35), (256, 64, 0.35)}
    networks = [
        dataclasses.replace(
            two_layers(8 if kernel == "quads" else 2, (inputs, hidden, 3), 2 if kernel == "triplets" else 8, spread),
            name=f"sized_{inputs}_{hidden}_{int(spread * 100)}",
        )
        for inputs, hidden, spread in sorted(sizes)
    ]
    dialect = Dialect((KERNELS[kernel], KERNELS["rows"]))
    widths = set()
    for native in build_native(networks, dialect, flags=body_flags(body)):
        code = native.program.layout.stages[1].code
        assert code.kernel == kernel
        widths.add("levels16" if "levels16" in code.statements[0] else "levels8")
        assert_equals_golden(native, 35 if body == AMX else 9, 3)
    assert widths == {"levels8", "levels16"}


def test_networks_of_many_constants_compute_twice_as_many_samples_together() -> None:
    networks = [random_network(seed, f"random{seed}") for seed in range(3)]
    few = CPU_DIALECT
    many = dataclasses.replace(few, cached=0)
    for network in networks:
        assert (generate(network, few).layout.tile, generate(network, many).layout.tile) == (8, 16)
    for seed, native in enumerate(build_native(networks, many, flags=native_flags())):
        for samples in (7, 15, 16, 35):
            assert_equals_golden(native, samples, seed)


@pytest.mark.parametrize("body", [*BODIES, AMX])
def test_extreme_weights_and_inputs_do_not_overflow(body: str) -> None:
    """All weights and inputs at the ends of their ranges: the sums that a lane must hold are as large as they get."""
    networks = []
    for position, (bits, low, high) in enumerate(((8, -128, 127), (2, -2, 1), (4, -8, 7), (1, -1, 1))):
        for inputs in (5, 300):
            weight = np.empty((20, inputs), np.int64)
            weight[::2], weight[1::2] = low, high
            quantizer = InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, 8, False)
            dense = Dense(weight, bits, np.zeros(20, np.int64))
            reach = dense.output_range(quantizer.output_range())
            ends = np.stack([reach.low + 1, (reach.low + reach.high) // 2, reach.high], axis=1)
            nodes = (
                Node("input", quantizer),
                Node("first", dense, ("input",)),
                Node("act", Threshold(ends), ("first",)),
                Node(
                    "last",
                    Dense(np.resize(weight, (20, 20)), bits, np.zeros(20, int)),
                    ("act",),
                ),
            )
            networks.append(Network(f"extreme{position}_{inputs}", nodes, Output(np.array([1.0]))))
    for native in build_native(networks, flags=body_flags(body)):
        assert_equals_golden(native, 19 if body == AMX else 9, 1)


def test_sums_that_need_64_bits_on_the_way_are_exact() -> None:
    """Inputs near 2^31 that cancel: the accumulator is small, a partial sum is not."""
    network = Network(
        "wide",
        (
            Node("input", InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 8, False)),
            Node("large", Dense(np.eye(4, dtype=int), 2, np.full(4, 2_000_000_000)), ("input",)),
            Node("small", Dense(np.array([[1, 1, -1, -1], [-1, 1, -1, 1]]), 2, np.array([5, -7])), ("large",)),
        ),
        Output(np.array([1.0])),
    )
    native = NativeNetwork(network, flags=native_flags())
    assert "edgeml_dense_rows_s32_wide" in native.program.files["wide.c"]
    assert_equals_golden(native, 30, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bias_that_brings_a_sum_back_into_32_bits_does_not_hide_that_the_sum_alone_leaves_them(sign: int) -> None:
    network = Network(
        "brought_back",
        (
            Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 8, False)),
            Node("large", Dense(np.eye(2, dtype=int), 2, np.full(2, 1_500_000_000)), ("input",)),
            Node("small", Dense(np.full((1, 2), -sign), 2, np.array([sign * 2_000_000_000])), ("large",)),
        ),
        Output(np.array([1.0])),
    )
    native = NativeNetwork(network, flags=native_flags())
    assert "edgeml_dense_rows_s32_wide" in native.program.files["brought_back.c"]
    assert_equals_golden(native, 30, 1)


@pytest.mark.parametrize("samples", [0, 1, 7, 8, 9, 40])
def test_batches_of_any_size_equal_golden(samples: int) -> None:
    network = random_network(4, "batch")
    native = NativeNetwork(network, flags=native_flags())
    q = random_inputs(network, 64, 2)[:samples]
    np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("bits", "signed"), [(2, False), (2, True), (5, True), (1, False)])
def test_inputs_outside_their_range_are_clipped(body: str, bits: int, signed: bool) -> None:
    quantizer = InputQuantizer(70, np.array([1.0]), np.array([0.0]), 0, bits, signed)
    base = two_layers(2, (70, 40, 5), 2, 0.05)
    network = Network("clipped", (Node("input", quantizer), *base.nodes[1:]), Output(np.array([1.0])))
    native = NativeNetwork(network, flags=body_flags(body))
    every = np.arange(-128, 128) if signed else np.arange(256)
    q = np.random.default_rng(0).choice(every, (50, 70))
    expected = simulate(network, np.clip(q, quantizer.low, quantizer.high))
    np.testing.assert_array_equal(native.invoke(q), expected)


def test_threads_with_an_arena_each_may_run_at_once() -> None:
    network = random_network(3, "threads")
    native = NativeNetwork(network, flags=native_flags())
    inputs = [random_inputs(network, 500, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(native.invoke, inputs * 4))
    for q, y in zip(inputs * 4, outputs, strict=True):
        np.testing.assert_array_equal(y, simulate(network, q))


def test_zig_compiles_the_same_program() -> None:
    the_compiler()
    from edgeml.targets.cpu.compiler import find_compiler

    zig = find_compiler("zig")
    if zig is None:
        pytest.skip("ziglang is not installed")
    network = random_network(11, "zig")
    assert_equals_golden(NativeNetwork(network, CPU_DIALECT, zig), 19, 5)
