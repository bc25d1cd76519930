"""What the prover `network` says of roundings and spikes, held against all values; and what its checker refuses."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from edgeml.network import Dense, Encode, InputQuantizer, Network, Node, Output
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE
from edgeml.network.rounding import ROUNDINGS
from edgeml.network.spiking.encodings import ENCODINGS, encoding
from edgeml.network.spiking.schedule import Schedule
from edgeml.network.value_range import ValueRange
from edgeml.proof.checkers.layer_formulas import range_of
from edgeml.proof.checkers.network import check_certificate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.network.rounding_claims import bound_of, factor_of, rounding_claims
from edgeml.proof.network.spike_claims import fired
from tests import sweeps
from tests.network.random_networks import random_network
from tests.sdk.proof.certified import certified, refused, said
from tests.targets.fpga.forms import int8_network, requantize, spiking_network
from tests.targets.logic_networks import random_logic_network


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_roundings_are_proved_and_followed_by_the_checker(rounding, tmp_path):
    folder = certified(int8_network(1, rounding), tmp_path / "b")
    found = check_certificate(folder, "network")
    assert "scale0, rounding" in found
    assert all(claims == proved > 0 for claims, proved in found.values())


@pytest.mark.parametrize("name", ENCODINGS)
def test_spikes_are_proved_and_followed_by_the_checker(name, tmp_path):
    folder = certified(spiking_network(1, name), tmp_path / "b")
    found = check_certificate(folder, "network")
    assert "neurons0, spikes" in found
    assert all(claims == proved > 0 for claims, proved in found.values())


@pytest.mark.parametrize("seed", range(1, 7))
def test_ranges_of_functions_that_some_inputs_never_change_are_proved_and_followed(seed, tmp_path):
    network = random_logic_network(seed, widest=40)
    assert check_certificate(certified(network, tmp_path / "b"), "network") == {"ranges": (len(network.nodes),) * 2}


def test_a_function_that_is_constant_over_its_inputs_may_be_said_to_be_so_and_no_other(tmp_path):
    folder = certified(random_logic_network(1), tmp_path / "b")
    path = folder / "proof" / "network" / "certificate.json"
    ends = [
        (low, high)
        for claim in json.loads(path.read_text())["places"]["ranges"]["claims"][2:3]
        for low, high in zip(claim["low"], claim["high"], strict=True)
    ]
    assert {(0, 0), (0, 1)} <= set(ends) <= {(0, 0), (1, 1), (0, 1)}
    narrower = said(["places", "ranges", "claims", 2, "high", ends.index((0, 1))], 0)
    refused(path, narrower, lambda: check_certificate(folder, "network"))


def test_bits_of_sums_of_more_than_16_bits_are_followed(tmp_path):
    quantizer = InputQuantizer(3, np.ones(1), np.zeros(1), 0, 8, False)
    sums = Dense(np.array([[127, 127, 127]]), 8, np.zeros(1, np.int64))
    rule = np.array([VALUE, *[BIT] * 4, *[LEVEL] * 3, *[EQUAL] * 3])
    operand = np.array([0, 0, 15, 16, 17, 0, 1, 97_155, 0, 97_155, 97_156])
    encode = Encode(np.zeros(rule.size, np.int64), rule, operand, 1)
    nodes = (Node("input", quantizer), Node("sums", sums, ("input",)), Node("bits", encode, ("sums",)))
    network = Network("net", nodes, Output(np.ones(1)))
    assert check_certificate(certified(network, tmp_path / "b"), "network") == {"ranges": (3, 3)}


def test_the_checker_finds_the_ends_of_bits_as_all_values_show_them():
    rng = np.random.default_rng(0)
    for _ in range(150):
        low, rule = int(rng.integers(0, 40)), int(rng.choice([VALUE, BIT, LEVEL, EQUAL]))
        high, operand = low + int(rng.integers(0, 40)), int(rng.integers(0, {VALUE: 1, BIT: 7}.get(rule, 90)))
        fields = {"source": np.array([0]), "rule": np.array([rule]), "operand": np.array([operand])}
        layer = Encode(np.array([0]), np.array([rule]), np.array([operand]), 1)
        every = layer.evaluate(np.arange(low, high + 1, dtype=np.int32)[:, None])
        assert range_of("encode", fields, ([low], [high])) == [(every.min(), every.max())]


@pytest.mark.slow(scaled=True)
def test_random_networks_of_every_kind_are_proved_and_followed(tmp_path):
    for seed in sweeps.seeds(700, 100):
        networks = (
            random_network(seed, widest=40),
            int8_network(seed, ROUNDINGS[seed % 5], bytes_only=True),
            spiking_network(seed, tuple(ENCODINGS)[seed % 5]),
        )
        for number, network in enumerate(networks):
            found = check_certificate(certified(network, tmp_path / f"{seed}_{number}"), "network")
            assert all(claims == proved > 0 for claims, proved in found.values()), (seed, number, found)


def nearest(value: Fraction, rounding: str) -> int:
    """The nearest integer, ties as the rule has them, by looking at three."""
    below = value.__floor__()
    if value - below != Fraction(1, 2):
        return below if value - below < Fraction(1, 2) else below + 1
    if rounding == "fp32_rne":
        return below + below % 2
    up = rounding in ("shift", "ruy_half_up") or value > 0
    return below + int(up)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_of_a_rounding_is_what_all_accumulators_show(rounding, seed):
    rng = np.random.default_rng(seed)
    eff = 2.0 ** rng.uniform(-6, 0 if rounding == "shift" else 1.5, 2) if seed else np.array([0.75, 0.0625])
    layer = requantize(rounding, eff, zero_point=int(rng.integers(-9, 9)), low=-30, high=int(rng.integers(5, 40)))
    reach = ValueRange(rng.integers(-900, -300, 2), rng.integers(200, 900, 2))
    place = rounding_claims("act", layer, reach, {})
    for channel, claim in enumerate(place.claims):
        factor, worst, elsewhere = factor_of(layer, channel), Fraction(0), 0
        every = np.arange(reach.low[channel], reach.high[channel] + 1)
        given = layer.evaluate(np.stack([every, every], axis=1))[:, channel].tolist()
        for accumulator, y in zip(every.tolist(), given, strict=True):
            exact = nearest(accumulator * factor, rounding) + layer.zero_point
            elsewhere += abs(min(max(exact, layer.low), layer.high) - y)
            real = accumulator * factor + layer.zero_point
            worst = max(worst, abs(y - min(max(real, layer.low), layer.high)))
        assert claim["status"] == PROVED
        assert claim["elsewhere"] == elsewhere
        assert worst == Fraction(claim["worst"]) <= bound_of(rounding, int(layer.shift[channel]), 60)


def schedule_with(thresholds, channel, spike, by):
    """The schedule of some thresholds with one increment, or the charge, changed."""
    changed = Schedule(thresholds.astype(np.int32))
    vars(changed)["increments"] = increments = changed.increments.copy()
    vars(changed)["charge"] = charge = changed.charge.copy()
    if spike < 0:
        charge[channel] += by
    else:
        increments[channel, spike] = max(increments[channel, spike] + by, 0)
    return changed


def judged_schedule(name, seed):
    """(whether any level changes, by all accumulators; whether the proof refutes it) of a changed schedule."""
    rng = np.random.default_rng(seed)
    levels = int(rng.choice([1, 3, 7, 15]))
    thresholds = np.sort(rng.integers(-60, 60, (3, levels)), axis=1)
    low, high = rng.integers(-80, 0, 3), rng.integers(1, 80, 3)
    channel = int(rng.integers(3))
    changed = schedule_with(thresholds, channel, int(rng.integers(-1, levels)), int(rng.choice([-2, -1, 1, 2])))
    problems = fired(encoding(name), changed, thresholds, (low, high))
    changes = False
    for z in range(int(low[channel]), int(high[channel]) + 1):
        left, given = z + int(changed.charge[channel]), 0
        while given < levels and left >= changed.increments[channel, given]:
            left, given = left - int(changed.increments[channel, given]), given + 1
        changes |= given != int((z >= thresholds[channel]).sum())
    assert not any(problem for other, problem in enumerate(problems) if other != channel)
    return changes, bool(problems[channel])


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_changed_schedule_is_refuted_where_a_level_changes(name):
    found = [judged_schedule(name, seed) for seed in range(200, 224)]
    assert all(changes == refuted for changes, refuted in found)
    assert {True, False} <= {changes for changes, _ in found}


@pytest.fixture(scope="module")
def certified_rounding(tmp_path_factory):
    return certified(int8_network(0, "double_rounding"), tmp_path_factory.mktemp("rounding") / "b")


@pytest.fixture(scope="module")
def certified_spikes(tmp_path_factory):
    return certified(spiking_network(1, "sar"), tmp_path_factory.mktemp("spikes") / "b")


SCALE = ("places", "scale0, rounding", "claims")
NEURONS = ("places", "neurons0, spikes", "claims")
RANGES = ("places", "ranges", "claims")


@pytest.mark.parametrize(
    "change",
    {
        "another format": said(["format"], 2),
        "another kind": said(["kind"], "circuit"),
        "another network": said(["network"], "0" * 64),
        "no such artifact": said(["artifacts"], {"rtl/net.v": "0" * 64}),
        "an artifact elsewhere": said(["artifacts"], {"../x": "0" * 64}),
        "a place left out": lambda content: content["places"].pop("scale0, rounding"),
        "a place too much": said(["places", "more"], {"claims": [{"status": "proved"}]}),
        "a claim left out": lambda content: content["places"]["scale0, rounding"]["claims"].pop(),
        "a crossing later": said([*SCALE, 0, "crossings", 0], lambda at: at + 1),
        "a crossing left out": lambda content: content["places"]["scale0, rounding"]["claims"][0]["crossings"].pop(),
        "a smaller deviation": said([*SCALE, 0, "worst"], "1/2"),
        "fewer elsewhere": said([*SCALE, 0, "elsewhere"], lambda count: count - 1),
        "another range": said([*SCALE, 0, "range", 0], lambda low: low + 1),
        "a narrower accumulator": said([*RANGES, 1, "high", 0], lambda high: high - 1),
        "a wider accumulator": said([*RANGES, 1, "high", 0], lambda high: high + 1),
        "ranges of another layer": said([*RANGES, 1, "layer"], "scale0"),
        "text for a number": said([*SCALE, 0, "crossings", 0], "7"),
    }.items(),
    ids=lambda named: named[0],
)
def test_a_certificate_of_roundings_is_refused(certified_rounding, change):
    path = certified_rounding / "proof" / "network" / "certificate.json"
    refused(path, change[1], lambda: check_certificate(certified_rounding, "network"))


@pytest.mark.parametrize(
    "change",
    {
        "a price": said([*NEURONS, 0, "increments", 2], lambda price: price + 1),
        "a price below zero": said([*NEURONS, 0, "increments", 2], -1),
        "the charge": said([*NEURONS, 0, "charge"], lambda charge: charge + 1),
        "too few prices": lambda content: content["places"]["neurons0, spikes"]["claims"][0]["increments"].pop(),
        "the window": said([*NEURONS, -1, "slots"], lambda slots: slots - 1),
        "the levels": said([*NEURONS, -1, "levels"], lambda levels: levels + 1),
        "the range": said([*NEURONS, 0, "range", 1], lambda high: high - 1),
        "no claim of the window": lambda content: content["places"]["neurons0, spikes"]["claims"].pop(),
    }.items(),
    ids=lambda named: named[0],
)
def test_a_certificate_of_spikes_is_refused(certified_spikes, change):
    path = certified_spikes / "proof" / "network" / "certificate.json"
    refused(path, change[1], lambda: check_certificate(certified_spikes, "network"))


def test_what_is_not_said_to_be_proved_is_not_counted(certified_rounding):
    path = certified_rounding / "proof" / "network" / "certificate.json"
    sound = path.read_text()
    path.write_text(sound.replace('"status":"proved","range"', f'"status":"{REFUTED}","range"', 1))
    try:
        claims, proved = check_certificate(certified_rounding, "network")["scale0, rounding"]
        assert proved == claims - 1
    finally:
        path.write_text(sound)
