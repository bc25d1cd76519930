"""What was learned becomes integers that answer alike: unreached entries, unused bits and functions, the read-out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeml.converters.quantized.logic.inputs import LogicInputs, logic_inputs
from edgeml.converters.quantized.logic.integers import to_network
from edgeml.converters.quantized.logic.lesson import Lesson, lesson_of
from edgeml.converters.quantized.logic.model import LogicModel, Shape
from edgeml.input_encoding import read_encodings
from edgeml.network import Encode, InputQuantizer, Logic, Network, simulate


def lesson(bits: np.ndarray, outputs: int, task: str = "classes") -> Lesson:
    answers = np.random.default_rng(1).normal(3.0, 2.0, (len(bits), outputs)).astype(np.float32)
    return Lesson(bits.astype(np.uint8), answers, bits[:0].astype(np.uint8), answers[:0], None, task)


def bits_as_they_are(count: int) -> LogicInputs:
    source = np.arange(count, dtype=np.int32)
    encode = Encode(source, np.full(count, 2, np.int32), np.ones(count, np.int32), count)
    return LogicInputs(InputQuantizer(count, np.ones(1), np.zeros(1), 0, 1, False), encode)


def network_of(model: LogicModel, learned: Lesson) -> Network:
    return to_network(model, bits_as_they_are(model.shape.inputs), learned, "learned")


@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("widths", [(12,), (20, 12), (15, 9, 6)])
def test_the_network_answers_as_the_model_on_every_sample_of_the_lesson(task: str, widths: tuple[int, ...]) -> None:
    model = LogicModel(Shape(10, widths, 4, 3, task, (1, 2)), seed=2)
    x = np.random.default_rng(0).integers(0, 2, (60, 10))
    learned = lesson(x, 3, task)
    network = network_of(model, learned)
    outputs = model(torch.from_numpy(x.astype(np.float32))).detach().numpy().astype(np.float64)
    if task == "values":
        deviation, mean = (getattr(learned.answers.astype(np.float64), each)(axis=0) for each in ("std", "mean"))
        outputs = outputs * deviation + mean
    real = network.output.real(simulate(network, x))
    assert np.abs(real - outputs).max() <= network.output.scale.max() / 2 + 1e-5


def test_bits_and_functions_that_nobody_takes_are_left_out() -> None:
    model = LogicModel(Shape(8, (6, 2), 1, 2, "classes"), seed=0)
    first, second = model.functions
    with torch.no_grad():
        for layer, wires in ((first, [5, 5, 1, 0, 2, 3]), (second, [4, 2])):
            layer.scores.zero_()
            layer.scores[torch.arange(len(wires)), 0, torch.tensor(wires)] = 1.0
            layer.entries.copy_(torch.tensor([-1.0, 1.0]).expand(len(wires), 2))
    x = np.random.default_rng(0).integers(0, 2, (50, 8))
    network = network_of(model, lesson(x, 2))
    assert [network.sizes[node.name] for node in network.nodes] == [8, 2, 2, 2, 2]
    np.testing.assert_array_equal(simulate(network, x), x[:, [2, 1]])


def test_a_function_keeps_the_inputs_that_samples_tell_apart_and_no_other() -> None:
    model = LogicModel(Shape(3, (2,), 3, 2, "classes"), seed=0)
    (layer,) = model.functions
    with torch.no_grad():
        layer.scores.zero_()
        layer.scores[:, torch.arange(3), torch.arange(3)] = 1.0
        parity = torch.tensor([bin(address).count("1") % 2 for address in range(8)])
        layer.entries.copy_((2.0 * parity - 1.0).expand(2, 8))
    seen = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])  # the third input never changes
    network = network_of(model, lesson(seen, 2))
    logic = network.nodes[2].layer
    assert isinstance(logic, Logic)
    assert network.sizes["encode"] == 2
    np.testing.assert_array_equal(logic.evaluate(seen[:, :2].astype(np.int32))[:, 0], [0, 1, 1, 0])
    for j in np.flatnonzero(logic.sources[0] == logic.sources[0, 2])[1:]:
        flipped = np.arange(8) ^ (1 << j)
        np.testing.assert_array_equal(logic.tables[0], logic.tables[0][flipped])


def test_features_become_levels_and_constant_ones_no_bits() -> None:
    x = np.random.default_rng(0).uniform(-5, 5, (200, 4))
    x[:, 2] = 1.5
    inputs = logic_inputs(x, (), 8)
    assert sorted(set(inputs.encode.source.tolist())) == [0, 1, 3]
    bits = inputs.encode.evaluate(inputs.quantizer.quantize(x))
    assert bits.shape[1] == 9
    assert 0.2 < bits.mean() < 0.8


def test_mixed_samples_lie_between_two_and_whole_numbers_stay_whole() -> None:
    x = np.random.default_rng(0).uniform(0, 1, (50, 3))
    x[:, 1] = np.random.default_rng(1).integers(0, 9, 50)
    seen: list[np.ndarray] = []

    def answer(part: np.ndarray) -> np.ndarray:
        seen.append(part)
        return part[:, :2].astype(np.float32)

    inputs = logic_inputs(x, (), 8)
    learned = lesson_of(x, None, answer, inputs.quantizer, inputs.encode, "classes", 0.0, seed=1)
    mixed = np.concatenate(seen[1:])
    assert len(learned.mixed_bits) == len(mixed) == 8192
    assert np.all((mixed >= x.min(axis=0)) & (mixed <= x.max(axis=0)))
    assert np.all(mixed[:, 1] == np.rint(mixed[:, 1]))
    assert np.mean(np.isin(mixed[:, 0], x[:, 0])) < 0.1
    bits = inputs.encode.evaluate(inputs.quantizer.quantize(mixed))
    np.testing.assert_array_equal(learned.mixed_bits, bits)


def test_of_a_feature_taken_apart_into_bits_a_mix_has_the_value_of_one_of_the_two() -> None:
    x = np.random.default_rng(0).integers(0, 200, (40, 3)).astype(np.float64)
    x[:, 1] = np.where(np.arange(40) % 2, 7.0, 240.0)
    seen: list[np.ndarray] = []

    def answer(part: np.ndarray) -> np.ndarray:
        seen.append(part)
        return part[:, :2].astype(np.float32)

    inputs = logic_inputs(x, read_encodings("1=bits,0+2=thermometer:3"), 8)
    lesson_of(x, None, answer, inputs.quantizer, inputs.encode, "classes", 0.0, seed=1)
    mixed = np.concatenate(seen[1:])
    assert set(np.unique(mixed[:, 1])) == {7.0, 240.0}
    assert np.mean(np.isin(mixed[:, 0], x[:, 0])) < 0.5
