"""Firmware of exact spikes is proved, whatever the encoding; faults in it are refuted, changed certificates refused."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from edgeml.errors import EdgemlError
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from tests.network.spiking.random_networks import ENCODINGS
from tests.network.spiking.random_networks import random_network as random_spiking_network
from tests.targets.fpga.proof.spikes.certified import residual
from tests.targets.mcu.networks import bundle_for
from tests.targets.mcu.proof.proved import rows

from .spiking_networks import eight

CORES = ("m0", "m4", "rv32")


def not_proved(found):
    return {part: row.detail for part, row in found.items() if row.claims and row.status != PROVED}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_eight_inputs_that_are_passed_over_together_are_proved(encoding):
    core = CORES[ENCODINGS.index(encoding) % 3]
    assert not not_proved(rows(eight(encoding), core))


def test_a_sum_of_the_spikes_of_two_populations_is_proved():
    assert not not_proved(rows(residual("unary"), "rv32"))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("seed", range(10))
def test_random_networks_of_spikes_are_proved(seed):
    """All but the label, of which no proof is known where neurons come last, and the input of a Cortex-M0."""
    network, _ = random_spiking_network(np.random.default_rng(seed), ENCODINGS[seed % 5])
    assert not not_proved(rows(network, CORES[1 + seed % 2])).keys() - {"the label"}


FAULTS = {
    "a count that is not multiplied": ("sum[n] += count * row[n];", "sum[n] += 2 * row[n];"),
    "one spike for another number": ("if (count == 1) {", "if (count == 2) {"),
    "a group passed over that is not silent": ("if (any == 0) {", "if (any <= 1) {"),
    "an input that no group looks at": ("x[i + 6] |\n                                 x[i + 7];", "x[i + 6];"),
    "a group of seven": ("for (size_t k = i; k < i + 8; k++)", "for (size_t k = i; k < i + 7; k++)"),
    "the first of a group left out": ("for (size_t k = i; k < i + 8; k++)", "for (size_t k = i + 1; k < i + 8; k++)"),
    "another row": (
        "edgeml_event(sum, weight + k * neurons, neurons, x[k]);",
        "edgeml_event(sum, weight + i * neurons, neurons, x[k]);",
    ),
    "silence for one": ("if (x[k] != 0) {", "if (x[k] > 1) {"),
    "the bias of another neuron": ("y[n] = net_layer_fc_bias[n];", "y[n] = net_layer_fc_bias[0];"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refuted(fault):
    old, new = FAULTS[fault]
    found = rows(eight("unary"), "rv32", "", {old: new})
    status = [row.status for row in found.values() if row.claims]
    assert REFUTED in status
    assert OPEN not in status
    assert all("in the emulator" in row.detail for row in found.values() if row.status == REFUTED)


def test_silence_that_is_added_all_the_same_is_proved():
    """Another text of the same function."""
    assert not not_proved(rows(eight("unary"), "rv32", "", {"if (any == 0) {": "if (any > 255u) {"}))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return prove_bundle(bundle_for(eight("stbif"), "rv32imc", tmp_path_factory.mktemp("spikes"), "spiking"))[0]


def test_a_bundle_is_proved_and_its_certificate_is_sound(bundle):
    assert {row.status for row in check_proof(bundle) if row.prover == "machine_code"} == {PROVED}


def _taken(operations, claims, name):
    """The operations of a name that claims take and that take the result of an `or` or a comparison."""
    needed = {claim["word"] for claim in claims}
    for number in range(len(operations) - 1, -1, -1):
        if number in needed and operations[number][0] not in ("input", "lookup"):
            needed.update(each for each in operations[number][1:] if each >= 0)
    found = (operations[number] for number in sorted(needed - {-1}) if operations[number][0] == name)
    return [each for each in found if any(k >= 0 and operations[k][0] in ("or", "eq") for k in each[1:])]


def compared_with_one(operations, claims):
    comparison = next(each for each in _taken(operations, claims, "eq") if ~0 in each)
    comparison[comparison.index(~0)] = ~1


def one_input_left_out(operations, claims):
    last = _taken(operations, claims, "or")[-1]
    last[2] = ~0


def both_for_any(operations, claims):
    _taken(operations, claims, "or")[-1][0] = "and"


def the_other_way(operations, claims):
    choice = _taken(operations, claims, "select")[-1]
    choice[2], choice[3] = choice[3], choice[2]


def without_a_choice(operations, claims):
    choice = _taken(operations, claims, "select")[0]
    choice[3] = choice[2]


@pytest.mark.parametrize(
    "change", [compared_with_one, one_input_left_out, both_for_any, the_other_way, without_a_choice]
)
def test_a_changed_certificate_is_refused(bundle, change):
    folder = bundle.folder / "proof/machine_code"
    paths = folder / "operations.json", folder / "certificate.json"
    sound = [path.read_text() for path in paths]
    content, certificate = map(json.loads, sound)
    change(content["operations"], certificate["places"]["fc"]["claims"])
    text = json.dumps(content)
    assert text != json.dumps(json.loads(sound[0]))
    certificate["artifacts"]["proof/machine_code/operations.json"] = hashlib.sha256(text.encode()).hexdigest()
    try:
        paths[0].write_text(text)
        paths[1].write_text(json.dumps(certificate))
        with pytest.raises(EdgemlError, match=r"not what the network says|fact|another|decides"):
            check_certificate(bundle.folder, "machine_code")
    finally:
        for path, was in zip(paths, sound, strict=True):
            path.write_text(was)
    check_certificate(bundle.folder, "machine_code")
