"""The state machine against its equations, written out number by number."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Network, simulate, trace
from edgeml.network.adaptation.packed_levels import pack_levels, unpack_levels
from tests.network.adaptation.networks import KINDS, adapting_network, drifted, samples


@pytest.fixture(scope="module", params=list(KINDS))
def network(request: pytest.FixtureRequest) -> Network:
    return adapting_network(request.param)


def test_in_its_factory_state_it_is_the_network(network: Network) -> None:
    q, _ = samples(network, 40, 1)
    np.testing.assert_array_equal(network.adapting().outputs(q), simulate(network, q))


def test_learning_is_what_the_equations_say() -> None:
    """A perceptron with a margin in integers: scores floored, the lowest of equal rivals, both rows and biases moved,
    everything clipped; the windows of a class in turn."""
    for kind in ("both", "learning", "wide"):
        network = adapting_network(kind)
        last, dense = network.adaptation.last_layer, network.nodes[-1].layer
        threshold, fraction = network.nodes[-2].layer, network.adaptation.last_layer.fraction
        weights = [[int(w) << fraction for w in row] for row in dense.weight]
        biases = [int(b) << fraction for b in dense.bias]
        kept: dict[tuple[int, int], list[int]] = {}
        learned = [0] * 4

        def step(stored: list[int], label: int, weights=weights, biases=biases, last=last, *, of=None) -> int:
            threshold, dense, fraction = of
            h = [level + threshold.base - dense.input_zero_point for level in stored]
            scores = [sum((w >> fraction) * x for w, x in zip(row, h, strict=True)) for row in weights]
            scores = [score + (b >> fraction) for score, b in zip(scores, biases, strict=True)]
            rivals = [each for each in range(4) if each != label]
            rival = max(rivals, key=lambda each: (scores[each], -each))
            if scores[label] - scores[rival] >= last.margin:
                return 0
            end, bias_end = 2 ** (last.weight_bits - 1), 2 ** (last.bias_bits - 1)
            for row, sign in ((label, 1), (rival, -1)):
                weights[row] = [min(max(w + sign * x, -end), end - 1) for w, x in zip(weights[row], h, strict=True)]
                biases[row] = min(max(biases[row] + sign, -bias_end), bias_end - 1)
            return 1

        parts = (threshold, dense, fraction)
        golden, (q, y) = network.adapting(), drifted(network, 2)
        levels = trace(network, q)[network.nodes[-2].name] - threshold.base
        for number in range(300):
            row, label = number % len(q), int(y[number % len(q)])
            golden.learn(q[row], label)
            kept[learned[label] % last.slots, label] = levels[row].tolist()
            learned[label] += 1
            step(levels[row].tolist(), label, of=parts)
            if number % 30 == 29:
                changed = 0
                for place in range(max(last.slots * 4, len(last.replay_classes))):
                    if divmod(place, 4) in kept:
                        changed += step(kept[divmod(place, 4)], place % 4, of=parts)
                    if place < len(last.replay_classes):
                        changed += step(last.replay_levels[place].tolist(), int(last.replay_classes[place]), of=parts)
                assert golden.rehearse() == changed
        h = levels + threshold.base - dense.input_zero_point
        expected = h @ (np.array(weights) >> fraction).T + (np.array(biases) >> fraction)
        np.testing.assert_array_equal(golden.outputs(q), expected)
        assert not np.array_equal(golden.outputs(q), simulate(network, q))


def test_offsets_are_what_the_equations_say() -> None:
    """Layer by layer: the second's means are taken with the first's new offsets."""
    for kind in ("both", "offsets", "wide"):
        network = adapting_network(kind)
        offsets, golden = network.adaptation.offsets, network.adapting()
        q, _ = drifted(network, 3)
        windows = q[: offsets.windows]
        for number in range(2):
            name = f"dense{number}"
            sums = golden.trace(windows)[name].astype(np.int64).sum(axis=0)
            assert golden.windows_wanted == (2 - number) * offsets.windows
            left = golden.calibrate(windows)
            assert left == (1 - number) * offsets.windows
            for channel, mean in enumerate(offsets.means[name]):
                shift = (int(sums[channel]) >> offsets.windows_log2) - int(mean)
                assert golden.offsets[name][channel] == max(-32767, min(32767, (shift * offsets.numerator + 8) >> 4))
        assert any(np.any(each) for each in golden.offsets.values())
        first = network.nodes[2].layer.evaluate(trace(network, q)["dense0"] - golden.offsets["dense0"])
        np.testing.assert_array_equal(golden.trace(q)["level0"], first)


def test_a_shift_that_data_have_among_themselves_is_left_alone() -> None:
    network = adapting_network("both")
    golden, (q, _) = network.adapting(), samples(network, 60, 0)
    windows = q[np.linspace(0, 59, network.adaptation.offsets.windows).astype(int)]
    assert golden.calibrate(np.concatenate([windows, windows])) == 0
    assert not golden.calibrating
    assert all(not np.any(each) for each in golden.offsets.values())


def test_a_calibration_forgets_kept_windows_and_nothing_learns_meanwhile() -> None:
    network = adapting_network("both")
    golden, (q, y) = network.adapting(), drifted(network, 1)
    golden.learn(q[0], int(y[0]))
    golden.calibrate(q[:1])
    assert golden.calibrating
    with pytest.raises(InputError, match="calibration: is under way"):
        golden.learn(q[0], 0)
    with pytest.raises(InputError, match="calibration: is under way"):
        golden.rehearse()
    while golden.calibrating:
        golden.calibrate(q[:4])
    before = network.adapting()
    before.learn(q[0], int(y[0]))
    assert golden.rehearse() <= len(network.adaptation.last_layer.replay_classes) < before.rehearse() + 9


def test_reset_is_the_factory_state(network: Network) -> None:
    golden, (q, y) = network.adapting(), drifted(network, 4)
    factory = golden.state()
    if network.adaptation.last_layer is not None:
        golden.learn(q[0], (int(y[0]) + 1) % 4)
    if network.adaptation.offsets is not None:
        golden.calibrate(q[:1])
    assert golden.state() != factory
    golden.reset()
    assert golden.state() == factory


def test_what_cannot_be_asked_for_is_refused() -> None:
    plain, offsets, learning = (adapting_network(each) for each in ("both", "offsets", "learning"))
    q, _ = samples(plain, 3, 0)
    with pytest.raises(InputError, match=r"class: must be 0 … 3, found 4"):
        plain.adapting().learn(q[0], 4)
    with pytest.raises(InputError, match="has no layer that learns"):
        offsets.adapting().learn(q[0], 0)
    with pytest.raises(InputError, match="has no offsets"):
        learning.adapting().calibrate(q)


@pytest.mark.parametrize("levels", [1, 3, 11, 15, 255])
def test_levels_are_packed_and_come_back(levels: int) -> None:
    stored = np.random.default_rng(0).integers(0, levels + 1, (5, 13)).astype(np.uint8)
    packed = pack_levels(stored, levels)
    assert packed.shape[1] == -(-13 * {1: 1, 3: 2, 11: 4, 15: 4, 255: 8}[levels] // 8)
    np.testing.assert_array_equal(unpack_levels(packed, levels, 13), stored)
