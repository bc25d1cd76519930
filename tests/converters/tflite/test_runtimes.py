"""The real runtimes against the golden simulator with their own rounding rule: not one integer may differ."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.fully_connected import FullyConnected
from edgeml.converters.tflite.operators.function import Function
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.runtimes import RUNTIMES, Runtime, Session
from edgeml.converters.tflite.tables import tie_distance
from edgeml.converters.tflite.writer import write
from edgeml.errors import NetworkError, ToolFailed
from edgeml.network import simulate
from edgeml.network.rounding import quantize_multiplier
from tests.sweeps import cases, seed_for

from .random_models import model_of_every_operator, random_inputs, random_model, random_scale

WEIGHT_BITS = (8, 8, 8, 4, 2)


def runtime_or_skip(name: str) -> Runtime:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    return runtime


def mismatches(session: Session, model: Model, samples: int, generator: np.random.Generator) -> tuple[int, int]:
    """(outputs compared, outputs that differ) for random inputs."""
    first = model.tensors[model.input]
    network = lower(model, session.runtime.rounding)
    q = random_inputs(generator, model, samples)
    (y,), _ = session.run(write(model), q.astype(np.int8 if first.signed else np.uint8))
    return y.size, int((y != simulate(network, q)).sum())


def sweep(name: str, wanted: int, seed: int) -> None:
    """At least `wanted` outputs of random models of all widths of weights that the runtime takes."""
    runtime = runtime_or_skip(name)
    generator = np.random.default_rng(seed)
    compared = turn = 0
    with Session(runtime) as session:
        while compared < wanted:
            bits, per_channel, powers_of_two = WEIGHT_BITS[turn % 5], bool(turn % 2), bool(turn // 2 % 2)
            turn += 1
            model = random_model(generator, bits, per_channel, powers_of_two)
            if not all(runtime.takes(op) for op in model.operators if isinstance(op, FullyConnected)):
                continue
            try:
                network = lower(model, runtime.rounding)
            except NetworkError:
                continue  # an accumulator times 2^shift past 32 bits: edgeml refuses it
            samples = min(1000 if name == "tflm" else 4096, max(64, 20_000 // network.output_size))
            count, wrong = mismatches(session, model, samples, generator)
            assert wrong == 0, f"{wrong} of {count} outputs of {name}, model {turn}, {bits} bits"
            compared += count


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_every_output_of_a_runtime_equals_golden_with_its_rule(name: str) -> None:
    sweep(name, 20_000, seed=11)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_a_million_outputs_of_a_runtime_equal_golden_with_its_rule(name: str) -> None:
    sweep(name, cases(1_000_000), seed=seed_for(12))


@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize("unsigned_input", [False, True])
def test_every_operator_is_exact_in_every_runtime(name: str, unsigned_input: bool) -> None:
    generator = np.random.default_rng(21)
    with Session(runtime_or_skip(name)) as session:
        for _ in range(12):
            count, wrong = mismatches(session, model_of_every_operator(generator, unsigned_input), 300, generator)
            assert (wrong, count > 0) == (0, True)


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_every_entry_of_sigmoid_and_tanh_is_exact(name: str) -> None:
    """Of tables that are clear of ties by 2^−15 of a step (edgeml makes none nearer than 2^−12): nearer, the error of
    float32 decides, and the runtimes have different ones."""
    generator = np.random.default_rng(41)
    q = np.arange(-128, 128, dtype=np.int32)[:, None]
    with Session(runtime_or_skip(name)) as session:
        for turn in range(200):
            function, scale, zero_point = (("LOGISTIC", 2.0**-8, -128), ("TANH", 2.0**-7, 0))[turn % 2]
            source = TensorInfo("x", 1, random_scale(generator, 0.002, 0.3, False), int(generator.integers(-128, 128)))
            tensors = {"x": source, "y": TensorInfo("y", 1, scale, zero_point)}
            if tie_distance(function, source, tensors["y"]) < 2.0**-15:
                continue
            model = Model("table", tensors, (Function("y", ("x",), function),), "x", "y")
            (y,), _ = session.run(write(model), q.astype(np.int8))
            assert np.array_equal(y, simulate(lower(model, "fp32_rne"), q)), (function, source)


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_six_halfway_between_two_integers_is_clipped_to_as_each_runtime_rounds_it(name: str) -> None:
    """A fused ReLU6 whose upper end is 12.5, 13.5 … output steps: to even in float32, up in the integer kernels."""
    runtime, ends = runtime_or_skip(name), set()
    with Session(runtime) as session:
        for half in (12.5, 13.5, 20.5, 37.5, 60.5):
            scale = float(np.float32(6 / half))
            if float(np.float32(6) / np.float32(scale)) != half:
                continue
            tensors = {"x": TensorInfo("x", 4, 0.0625, 0), "y": TensorInfo("y", 3, scale, -20)}
            weight = np.full((3, 4), 100, np.int8)
            layer = FullyConnected("y", ("x",), weight, 8, np.full(3, 0.02, np.float32), np.zeros(3, np.int32), "relu6")
            model = Model("six", tensors, (layer,), "x", "y")
            q = np.array([[127] * 4, [60] * 4, [1] * 4, [-5] * 4], np.int32)
            (y,), _ = session.run(write(model), q.astype(np.int8))
            expected = simulate(lower(model, runtime.rounding), q)
            assert np.array_equal(y, expected), half
            ends.add(int(expected[0, 0]) + 20 - int(half))
    assert ends == ({0, 1} if name == "litert" else {1})


def one_large_sum(bits: int, bias: int, inputs: int = 16) -> Model:
    """Layers of weights 0 and ±1 whose sums are about ±`bias`, and an output that shows their size."""
    generator = np.random.default_rng(7)
    weight = generator.integers(-1, 2, (12, inputs)).astype(np.int8)
    biases = generator.integers(bias // 2, bias - 255 * inputs, 12) * generator.choice([-1, 1], 12)
    biases[0] = 0
    tensors = {"x": TensorInfo("x", inputs, 1.0, 3), "y": TensorInfo("y", 12, float(np.float32(bias / 120)), 3)}
    scales = np.ones(12, np.float32)
    return Model(
        "large", tensors, (FullyConnected("y", ("x",), weight, bits, scales, biases.astype(np.int32)),), "x", "y"
    )


@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize(("bits", "bias"), [(8, 2**30), (4, 2**27), (2, 2**30)])
def test_sums_just_below_the_largest_that_a_runtime_takes_are_exact(name: str, bits: int, bias: int) -> None:
    runtime, model = runtime_or_skip(name), one_large_sum(bits, bias)
    (layer,) = model.fully_connected
    if refusal := runtime.refusal(layer):
        assert refusal == f"does not take {bits}-bit weights per channel"
        return
    with Session(runtime) as session:
        assert mismatches(session, model, 200, np.random.default_rng(8))[1] == 0


def test_larger_sums_of_4_bit_weights_wrap_in_xnnpack_which_is_said() -> None:
    """Of rows of an odd number of weights too, which another kernel takes, nothing is refused."""
    runtime, model = runtime_or_skip("litert"), one_large_sum(4, 2**29)
    (layer,) = model.fully_connected
    assert runtime.refusal(layer) == "wraps sums of 4-bit weights from 2^27 on, which layer y reaches"
    with Session(runtime) as session:
        assert mismatches(session, model, 20, np.random.default_rng(8))[1] > 0
        odd = one_large_sum(4, 2**29, inputs=15)
        assert runtime.takes(odd.fully_connected[0])
        assert mismatches(session, odd, 20, np.random.default_rng(8))[1] == 0


def test_the_default_rules_of_two_runtimes_do_differ() -> None:
    """The sweeps can fail: with another runtime's rule there are mismatches."""
    generator = np.random.default_rng(5)
    differing = 0
    for _ in range(4):
        model = random_model(generator, 8, True, True, widest=64)
        q = random_inputs(generator, model, 2000)
        outputs = [simulate(lower(model, rule), q) for rule in ("double_rounding", "fp32_rne")]
        differing += int((outputs[0] != outputs[1]).sum())
    assert differing > 0


def test_a_file_that_a_runtime_refuses_is_an_error_and_not_the_end_of_the_session() -> None:
    runtime = runtime_or_skip("litert")
    generator = np.random.default_rng(1)
    model = random_model(generator, 8, False, False, widest=20)
    with Session(runtime) as session:
        with pytest.raises(ToolFailed, match="refused the model"):
            session.run(b"TFL3 but no model", np.zeros((1, 4), np.int8))
        assert mismatches(session, model, 10, generator)[1] == 0


def test_a_runtime_that_crashes_is_an_error() -> None:
    runtime = runtime_or_skip("litert")
    with Session(runtime) as session:
        session._process.kill()
        session._process.wait()
        with pytest.raises(ToolFailed, match="ended while it ran"):
            session.run(b"", np.zeros((1, 1), np.int8))


def test_a_missing_environment_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEML_TFLITE_RUNTIME_PYTHON", "/nonexistent/python")
    assert "pip install 'numpy<2' tflite-runtime==2.14.0" in RUNTIMES["tflite-runtime"].missing()


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_an_addition_of_different_scales_is_each_runtimes_own(name: str) -> None:
    from dataclasses import replace

    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    model = model_of_every_operator(np.random.default_rng(2))
    for scales in ((0.5, 0.02), (0.011, 0.013), (0.003, 0.09)):
        tensors = {**model.tensors, "b": replace(model.tensors["b"], scale=float(np.float32(scales[0])))}
        tensors["sum"] = replace(tensors["sum"], scale=float(np.float32(scales[1])))
        other = Model("sum", tensors, model.operators[:3], model.input, "sum")
        q = random_inputs(np.random.default_rng(3), other, 200)
        with Session(runtime) as session:
            (found,), _ = session.run(write(other), q.astype(np.int8))
        assert np.array_equal(found.astype(np.int32), simulate(lower(other, runtime.rounding), q))


def next_to_ties(
    generator: np.random.Generator, bits: int, inputs: int, per_channel: bool, rows: int
) -> tuple[Model, np.ndarray]:
    """One layer whose accumulators are its biases, next to ties, and such that the order of the scales' products, or
    the width of the factor, decides the output; and inputs that stand for zero."""
    scale_in, scale_weight = (np.float32(generator.uniform(0.001, 0.05)) for _ in range(2))
    scale_out = np.float32(scale_in * scale_weight * generator.uniform(2e4, 1e6))
    eff = np.float64(scale_in) * np.float64(scale_weight) / np.float64(scale_out)
    acc = np.rint((generator.integers(-126, 126, 300_000) + 0.5) / eff).astype(np.int64)
    acc = np.unique(acc + generator.integers(-1, 2, acc.size))
    multiplier, shift = quantize_multiplier(eff)
    others = (
        np.float64(scale_in * scale_weight) / np.float64(scale_out),
        np.float64(scale_in * scale_weight / scale_out),
        np.float64(multiplier[0]) * 2.0 ** (int(shift[0]) - 31),
    )
    decisive = np.zeros(acc.size, bool)
    for other in others:
        decisive |= np.floor(acc * eff + 0.5) != np.floor(acc * other + 0.5)
    bias = acc[decisive] if decisive.sum() >= rows else acc
    bias = bias[generator.permutation(bias.size)[:rows]].astype(np.int32)
    tensors = {
        "x": TensorInfo("x", inputs, float(scale_in), 0),
        "y": TensorInfo("y", bias.size, float(scale_out), 0),
    }
    weight = np.ones((bias.size, inputs), np.int8)
    scales = np.full(bias.size if per_channel else 1, scale_weight, np.float32)
    layer = FullyConnected("y", ("x",), weight, bits, scales, bias)
    return Model("ties", tensors, (layer,), "x", "y"), np.zeros((1, inputs), np.int32)


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_accumulators_next_to_ties_are_exact(name: str) -> None:
    """Where a random sweep of millions may miss it: a factor that differs in its last bits."""
    runtime = runtime_or_skip(name)
    generator = np.random.default_rng(31)
    compared = 0
    with Session(runtime) as session:
        for turn in range(72):
            bits, inputs = (8, 4, 2)[turn % 3], (4, 5)[turn // 3 % 2]
            per_channel, rows = bool(turn // 6 % 2), (400, 1, 400)[turn // 12 % 3]
            model, q = next_to_ties(generator, bits, inputs, per_channel, rows)
            if not runtime.takes(model.operators[0]):
                continue
            (y,), _ = session.run(write(model), q.astype(np.int8))
            assert np.array_equal(y, simulate(lower(model, runtime.rounding), q)), (turn, bits, inputs, per_channel)
            compared += y.size
    assert compared > 3000
