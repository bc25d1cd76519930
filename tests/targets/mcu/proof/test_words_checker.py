"""The checker of words: what it refuses, one change of a sound certificate at a time."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeml.bundle import load
from edgeml.errors import EdgemlError
from edgeml.network import Dense, Network, Node, Output
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.checkers import (
    digits,
    word_any,
    word_bits,
    word_functions,
    word_joined,
    word_label,
    word_operations,
    word_statements,
    word_values,
    words,
)
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.claim import PROVED
from tests.targets.mcu.networks import bundle_for, random_network
from tests.targets.mcu.proof.proved import sparse

PLACE = "machine_code"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    network = sparse(random_network(3, (8, 6, 4), 2, activation_bits=2, input_bits=2))
    last = network.nodes[-1]
    dense = Dense(np.random.default_rng(1).integers(-2, 2, (4, 6)), 2, np.arange(4))
    nodes = (*network.nodes[:-1], Node(last.name, dense, last.inputs))
    network = Network("net", nodes, Output(np.array([1.0]), task="classes"))
    made = bundle_for(network, "rv32imc", tmp_path_factory.mktemp("words"))
    return prove_bundle(load(made.folder))[0]


def test_a_bundle_is_proved_and_its_certificate_is_sound(bundle):
    rows = {row.part: row for row in check_proof(bundle) if row.prover == PLACE}
    assert {row.status for row in rows.values()} == {PROVED}
    assert rows["outputs"].claims == 4
    assert sum(row.claims for row in rows.values()) == sum(
        found[0] for found in check_certificate(bundle.folder, PLACE).values()
    )


def test_a_proof_of_kept_stages_is_sound_too(bundle, tmp_path):
    copied = load(Path(shutil.copytree(bundle.folder, tmp_path / "copied")))
    again, proved = prove_bundle(copied)
    rows = [row for row in proved if row.prover == PLACE and row.claims]
    assert sum("kept from before" in row.method for row in rows) >= 3
    found = check_certificate(again.folder, PLACE)
    assert found == check_certificate(bundle.folder, PLACE)
    assert all(claims == proved for claims, proved in found.values())


def first(operations, *names):
    """The number of the first operation of one of these names with a constant operand."""
    return next(
        k for k, each in enumerate(operations) if each[0] in names and any(type(i) is int and i < 0 for i in each)
    )


def other_constant(*names):
    def change(certificate, content):
        operation = content["operations"][first(content["operations"], *names)]
        place = next(k for k, item in enumerate(operation) if type(item) is int and item < 0)
        operation[place] -= 1

    return change


def other_name(old, new):
    def change(certificate, content):
        content["operations"][first(content["operations"], old)][0] = new

    return change


def stage(key, value, number=1):
    def change(certificate, content):
        content["stages"][number][key] = value(content["stages"][number][key])

    return change


def claim(place, key, value):
    def change(certificate, content):
        said = certificate["places"][place]["claims"][0]
        said[key] = value(said.get(key))

    return change


def dropped(certificate, content):
    certificate["places"]["outputs"]["claims"].pop()


def swapped(certificate, content):
    claims = certificate["places"]["dense1"]["claims"]
    claims[0]["word"], claims[1]["word"] = claims[1]["word"], claims[0]["word"]


def narrower(certificate, content):
    number = content["stages"][1]["values"][0]
    content["operations"][number][2] -= 1


def narrower_input(certificate, content):
    content["operations"][content["raw"][0]][2] = 200


def a_fact(certificate, content):
    content["facts"].append([content["raw"][0], 1])


def merged(certificate, content):
    content["stages"] = [content["stages"][0]]


def one_for_two(certificate, content):
    content["stages"][1]["values"][1] = content["stages"][1]["values"][0]


def a_threshold(certificate, content):
    """The last comparison with a constant: the first may be that of an input with its highest."""
    operation = next(each for each in reversed(content["operations"]) if each[0] in ("slt", "ult") and each[2] < 0)
    operation[2] -= 1


def of_the_input(certificate, content):
    certificate["places"]["outputs"]["claims"][0]["word"] = content["raw"][0]


def unknown(certificate, content):
    certificate["places"]["dense1"]["claims"][0]["word"] = 10**6


def another_network(certificate, content):
    certificate["network"] = "0" * 64


def no_padding(certificate, content):
    content["stages"][1]["padded"] -= 1


def a_cycle(certificate, content):
    content["operations"][first(content["operations"], "add")][1] = len(content["operations"]) - 1


def steps_of(certificate, content):
    """The operations that choose the label, the last first."""
    word, operations = certificate["places"]["the label"]["claims"][0]["word"], content["operations"]
    while word >= 0 and operations[word][0] in ("select", "add"):
        if operations[word][0] == "select":
            yield operations[word]
        word = max(operations[word][2:])


def a_label(certificate, content):
    one, other = list(steps_of(certificate, content))[:2]
    one[2], other[2] = other[2], one[2]


def another_comparison(certificate, content):
    step = next(steps_of(certificate, content))
    comparison = content["operations"][step[1]]
    comparison[1], comparison[2] = comparison[2], comparison[1]


CHANGES = {
    "a constant that is added": other_constant("add"),
    "a threshold": a_threshold,
    "a mask": other_constant("and"),
    "a shift": other_constant("shl"),
    "subtracted": other_name("add", "sub"),
    "signed for unsigned": other_name("shr", "sar"),
    "no such operation": other_name("add", "plus"),
    "another low": stage("low", lambda low: low + 1),
    "another layer's name": stage("nodes", lambda names: ["dense1"]),
    "the input as the layer": stage("nodes", lambda names: ["input"]),
    "narrower items": stage("bytes", lambda size: 3),
    "less padding": no_padding,
    "a claim left out": dropped,
    "words of two channels swapped": swapped,
    "a narrower range": narrower,
    "a narrower input": narrower_input,
    "a fact that does not hold": a_fact,
    "stages left out": merged,
    "one variable for two integers": one_for_two,
    "an output that is an input": of_the_input,
    "a word that is not there": unknown,
    "another network": another_network,
    "an operation of what comes later": a_cycle,
    "a word that is a text": claim("outputs", "word", str),
    "a label that is another place": claim("the label", "word", lambda word: -2),
    "a label's steps in another order": a_label,
    "a label of another comparison": another_comparison,
    "a word that is another": claim("dense1", "word", lambda word: word - 1),
}


def changed(bundle, folder: Path, change) -> Path:
    """A copy of the proof with a change, its hashes made right again."""
    proof = folder / "proof" / PLACE
    proof.mkdir(parents=True)
    for name in bundle.manifest["files"]:
        if name.startswith("c/") or name == "network.edgeml":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((bundle.folder / name).read_bytes())
    source = bundle.folder / "proof" / PLACE
    certificate, content = (
        json.loads((source / f"{name}.json").read_bytes()) for name in ("certificate", "operations")
    )
    before = copy.deepcopy((certificate, content))
    change(certificate, content)
    assert (certificate, content) != before or change is nothing
    text = json.dumps(content).encode()
    certificate["artifacts"][f"proof/{PLACE}/operations.json"] = hashlib.sha256(text).hexdigest()
    (proof / "operations.json").write_bytes(text)
    (proof / "certificate.json").write_text(json.dumps(certificate))
    return folder


def nothing(certificate, content):
    pass


@pytest.mark.parametrize("name", CHANGES)
def test_a_tampered_certificate_is_refused(bundle, tmp_path, name):
    with pytest.raises(EdgemlError):
        check_certificate(changed(bundle, tmp_path / "b", CHANGES[name]), PLACE)


def test_the_same_certificate_without_a_change_is_not_refused(bundle, tmp_path):
    assert check_certificate(changed(bundle, tmp_path / "b", nothing), PLACE)


def test_c_that_is_another_is_refused(bundle, tmp_path):
    folder = changed(bundle, tmp_path / "b", nothing)
    (source,) = folder.glob("c/src/net.c")
    source.write_text(source.read_text() + "\n")
    with pytest.raises(EdgemlError, match="is another"):
        check_certificate(folder, PLACE)


@pytest.mark.parametrize(
    "module",
    [
        *(words, word_any, word_bits, word_values, word_operations, digits, word_functions, word_label, word_joined),
        word_statements,
    ],
)
def test_the_checker_is_short_and_shares_no_code_with_the_prover(module):
    source = Path(module.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level}
    own = {"digits", "word_any", "word_bits", "word_functions", "word_label", "word_operations", "word_values"}
    own |= {"word_joined", "word_statements"}
    assert imported <= {"network", "network.task", "statements", "errors", *own}
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    said = sum(len(text.splitlines()) for node in documented if (text := ast.get_docstring(node, clean=False)))
    assert sum(bool(line.strip()) for line in source.splitlines()) - said <= 300
