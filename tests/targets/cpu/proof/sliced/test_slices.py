"""C of many samples at once is proved with each body, its certificate is followed again, and faults are not proved."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import CheckFailed
from edgeml.network import Dense, Encode, InputQuantizer, Logic, Network, Node, Output, network_file, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL
from edgeml.proof.checkers.slices import check_certificate
from edgeml.proof.claim import OUT_OF_TIME, PROVED, REFUTED
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples, runs_here
from edgeml.targets.cpu.proof.prover import rows_of
from edgeml.targets.cpu.proof.sliced.followed import FollowedSlices
from tests.targets.logic_networks import classifier, logic_inputs, random_logic_network

from .followed_slices import PLACE, files_of, follow, program_of

NETWORK = classifier(1, features=6, levels=2, widths=(12, 9), classes=3, fan_in=4)


def rows(followed, body: str) -> dict:
    """What the prover says, by part."""
    return {row.part: row for row in rows_of(followed, Counterexamples(followed, followed.program, BODIES[body]))}


def whole(found) -> bool:
    """Whether all is proved."""
    return {row.status for row in found.values()} == {PROVED}


@pytest.fixture(scope="module")
def followed() -> FollowedSlices:
    """A call for five samples, one for four, and one for one alone."""
    return follow(program_of(NETWORK), "avx512", 5, (4, 1))


@pytest.fixture(scope="module")
def bundle(followed, tmp_path_factory) -> Path:
    """The files that the checker reads."""
    return files_of(followed, tmp_path_factory.mktemp("bundle"))


def any_network(seed: int, *, signed: bool = False, dense: bool = True) -> Network:
    """Bits, levels and equalities of bytes, two layers of functions, a sum of weights of both signs or none."""
    generator = np.random.default_rng(seed)
    low = -128 if signed else 0
    rule = generator.choice([LEVEL, EQUAL] if signed else [BIT, LEVEL, EQUAL], 20)
    operand = np.where(rule == BIT, generator.integers(0, 8, 20), generator.integers(low + 1, low + 255, 20))
    nodes = [
        Node("input", InputQuantizer(9, np.ones(1), np.zeros(1), 0, 8, signed)),
        Node("bits", Encode(generator.integers(0, 9, 20), rule, operand, 9), ("input",)),
    ]
    size = 20
    for depth, (width, fan_in) in enumerate(((16, 5), (10, 4))):
        sources, tables = generator.integers(0, size, (width, fan_in)), generator.integers(0, 2, (width, 1 << fan_in))
        nodes.append(Node(f"logic{depth}", Logic(sources, tables, size), (nodes[-1].name,)))
        size = width
    if dense:
        weight, bias = generator.integers(-4, 4, (2, size)), generator.integers(-9, 10, 2)
        nodes.append(Node("sums", Dense(weight, 3, bias), (nodes[-1].name,)))
    return Network("any", tuple(nodes), Output(np.ones(1)))


def test_all_is_proved_of_samples_side_by_side_and_of_one_alone(followed):
    found = rows(followed, "avx512")
    assert whole(found)
    assert list(found) == [
        "sums, block of 5",
        "sums, block of 4",
        "sums, alone",
        "outputs",
        "memory",
        "undefined behaviour",
        "the label",
    ]
    followed.check_samples(simulate(NETWORK, logic_inputs(NETWORK, 0, 5)))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", [*BODIES])
def test_a_whole_block_is_proved_with_each_body(body):
    assert whole(rows(follow(program_of(NETWORK), body, 513), body))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", [*BODIES])
@pytest.mark.parametrize("network", [any_network(0, signed=True), any_network(1, dense=False)], ids=["signed", "bits"])
def test_all_rules_sums_and_outputs_are_proved(network, body):
    assert whole(rows(follow(program_of(network), body, 4, (1,)), body))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("seed", range(4))
def test_networks_of_any_depth_and_width_are_proved(seed, tmp_path):
    network = random_logic_network(seed, widest=40)
    found = follow(program_of(network), "portable", 4, (1,))
    assert whole(rows(found, "portable"))
    assert all(claims == proved for claims, proved in check_certificate(files_of(found, tmp_path), PLACE).values())


def test_what_is_not_come_to_in_time_is_said():
    program = program_of(NETWORK)
    found = FollowedSlices(module_of(program, BODIES["portable"]), program, logic_inputs(NETWORK, 0, 5), counts=())
    found.run(lambda what: None, 0.0)
    assert {row.status for row in rows(found, "portable").values()} == {OUT_OF_TIME, PROVED} or not whole(
        rows(found, "portable")
    )


FAULTS = {
    "columns": {"(p)[i * (apart)*EDGEML_SLICES] = eight[i];": "(p)[i * (apart)*EDGEML_SLICES] = eight[i ^ 1];"},
    "a sum's field": {"& field;\n            y[o]": "& (field >> 1);\n            y[o]"},
    "a shift": {"const size_t shift = o % 2u * 32u": "const size_t shift = (o + 1u) % 2u * 32u"},
}


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("fault", ["columns", "a sum's field", "a shift"])
def test_faults_are_refuted_by_what_the_library_gives(fault):
    if why := runs_here(BODIES["portable"]):
        pytest.skip(why)
    found = rows(follow(program_of(NETWORK, FAULTS[fault]), "portable", 5), "portable")
    row = found["sums, block of 5"]
    assert row.status == REFUTED
    assert "in the library" in row.detail


# The certificate


def test_the_checker_follows_both_ways(bundle):
    content = json.loads((bundle / "proof" / PLACE / "operations.json").read_text())
    assert [program["samples"] for program in content["programs"]] == [[1], [4, 5]]
    found = check_certificate(bundle, PLACE)
    labels = len(content["labels"])
    assert found == {"outputs 0": (3, 3), "outputs 1": (3, 3), "the label": (labels, labels)}


def _a_table(content, places):
    gate = next(each for each in content["programs"][1]["gates"] if isinstance(each[1], list))
    gate[0] = f"{int(gate[0], 16) ^ 2:x}"


def _a_test(content, places):
    gate = next(each for each in content["programs"][1]["gates"] if isinstance(each[1], int))
    gate[0] = f"{int(gate[0], 16) ^ (1 << 5):x}"


def _an_input(content, places):
    gate = next(each for each in content["programs"][1]["gates"] if isinstance(each[1], int))
    gate[1] = (gate[1] + 1) % 6


def _an_operand(content, places):
    gates = content["programs"][1]["gates"]
    gate = next(each for each in gates if isinstance(each[1], list) and len(each[1]) > 1)
    gate[1][0], gate[1][1] = gate[1][1], gate[1][0]
    gate[0] = f"{int(gate[0], 16) ^ 4:x}"


def _a_function(content, places):
    layer = content["programs"][1]["layers"][1]
    layer[0][1], layer[1][1] = layer[1][1], layer[0][1]


def _a_complement(content, places):
    layer = next(each for each in content["programs"][1]["layers"][2] if each[1] > 1)
    layer[1] ^= 1


def _a_constant(content, places):
    content["programs"][1]["outputs"][0][0] += 1


def _a_factor(content, places):
    content["programs"][1]["outputs"][0][1][0][1] *= 2


def _a_bit_less(content, places):
    content["programs"][1]["outputs"][0][1].pop()


def _two_outputs(content, places):
    outputs = content["programs"][1]["outputs"]
    outputs[0], outputs[1] = outputs[1], outputs[0]


def _an_output_less(content, places):
    content["programs"][0]["outputs"].pop()


def _a_cycle(content, places):
    gates = content["programs"][1]["gates"]
    gate = next(each for each in gates if isinstance(each[1], list))
    gate[1][-1] = len(gates)


def _the_label(content, places):
    content["labels"][0]["word"] = ~0


def _a_step(content, places):
    label = content["labels"][0]
    place = next(k for k, each in enumerate(label["operations"]) if each[0] == "slt")
    label["operations"][place][1:] = label["operations"][place][:0:-1]


def _a_range(content, places):
    label = content["labels"][0]
    label["operations"][label["outputs"][0]][2] -= 1


def _no_program(content, places):
    content["programs"] = []


CHANGES = [
    *(_a_table, _a_test, _an_input, _an_operand, _a_function, _a_complement, _a_constant, _a_factor, _a_bit_less),
    *(_two_outputs, _an_output_less, _a_cycle, _the_label, _a_step, _a_range, _no_program),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_certificate_that_is_tampered_with_is_rejected(bundle, tmp_path, change):
    folder = tmp_path / "changed"
    shutil.copytree(bundle, folder)
    proof = folder / "proof" / PLACE
    content = json.loads((proof / "operations.json").read_text())
    certificate = json.loads((proof / "certificate.json").read_text())
    change(content, certificate["places"])
    (proof / "operations.json").write_text(json.dumps(content))
    digest = hashlib.sha256((proof / "operations.json").read_bytes()).hexdigest()
    certificate["artifacts"][f"proof/{PLACE}/operations.json"] = digest
    (proof / "certificate.json").write_text(json.dumps(certificate))
    with pytest.raises(CheckFailed):
        check_certificate(folder, PLACE)


def test_a_certificate_is_of_its_network_and_of_its_c(bundle, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(bundle, folder)
    network_file.write(classifier(2, 6, 2, (12, 9), 3, 4), folder / "network.edgeml")
    with pytest.raises(CheckFailed, match="network"):
        check_certificate(folder, PLACE)
    shutil.copy(bundle / "network.edgeml", folder / "network.edgeml")
    (folder / "c" / "logic.c").write_text("int nothing;\n")
    with pytest.raises(CheckFailed, match="is another"):
        check_certificate(folder, PLACE)
