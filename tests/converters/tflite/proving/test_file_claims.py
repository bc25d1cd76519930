"""Networks beside their .tflite files: proved by every rule, refuted where changed, followed by the checker."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.proof_mutants import of_tflite
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.add import Add
from edgeml.converters.tflite.operators.fully_connected import FullyConnected
from edgeml.converters.tflite.operators.relu import Relu
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.proving.claims import file_claims
from edgeml.converters.tflite.proving.exact_tables import exact_entry
from edgeml.converters.tflite.proving.prover import TfliteProver
from edgeml.converters.tflite.reader import read_model, tensor_indices
from edgeml.converters.tflite.runtimes import RUNTIMES, rounding_rule
from edgeml.converters.tflite.writer import write
from edgeml.errors import CheckFailed, EdgemlError
from edgeml.network import Network, network_file
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.checkers.tflite import check_certificate
from edgeml.proof.place_claims import statement_certificate
from tests import sweeps
from tests.converters.tflite.random_models import model_of_every_operator, random_model
from tests.sdk.proof.certified import bundle_of, refused, said

FILE = "tflite/net.tflite"


def certified(content: bytes, rule: str, folder: Path, changed: Network | None = None) -> Path:
    """A folder with file, network and certificate, as they lie in a bundle."""
    model = read_model(content, "net")
    network = lower(model, rounding_rule(rule)) if changed is None else changed
    places = file_claims(model, tensor_indices(content), network, rounding_rule(rule))
    files = {FILE: content, "network.edgeml": network_file.to_bytes(network)}
    certificate = statement_certificate("tflite", files["network.edgeml"], places, {FILE: content})
    files |= {f"proof/tflite/{name}": data for name, data in certificate.items()}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def require_proved(model: Model, rule: str, folder: Path) -> None:
    """Hold that all claims are proved, and that the checker follows them."""
    found = check_certificate(certified(write(model), rule, folder), "tflite")
    assert "output" in found
    assert all(claims == proved > 0 for claims, proved in found.values()), found


@pytest.mark.parametrize("rule", [*ROUNDINGS, "litert"])
def test_a_file_is_proved_by_every_rule(rule, tmp_path):
    require_proved(of_tflite.model_of(3), rule, tmp_path)


def test_a_file_of_every_operator_is_proved(tmp_path):
    require_proved(model_of_every_operator(np.random.default_rng(23)), "tflm", tmp_path)


@pytest.mark.slow(scaled=True)
def test_many_files_are_proved_by_every_rule(tmp_path):
    for seed in sweeps.seeds(50, 10):
        generator = np.random.default_rng(seed)
        bits = (8, 4, 2)[seed % 3]
        model = random_model(generator, bits, bool(seed % 2), bool(seed // 2 % 2), widest=16)
        for rule in (*ROUNDINGS, *RUNTIMES):
            try:
                lower(model, rounding_rule(rule))
            except EdgemlError:  # a rule that these scales do not have, or sums past 32 bits
                continue
            require_proved(model, rule, tmp_path / f"{seed}{rule}")


def test_an_entry_is_the_nearest_integer_of_the_function():
    for value in (-255, -3, -1, 0, 1, 2, 200):
        x = value * 0.0390625
        assert exact_entry("LOGISTIC", value, 0.0390625, 2.0**-8) == math.floor(256 / (1 + math.exp(-x)) + 0.5)
        assert exact_entry("TANH", value, 0.0390625, 2.0**-7) == round(128 * math.tanh(x))
    assert exact_entry("LOGISTIC", 127, 3.0e38, 2.0**-8) == 256


def judged(seeds):
    """Mutants, each held against all values."""
    for seed in seeds:
        found = of_tflite.judge(seed)
        assert found.right, (seed, found)
        yield found


def test_faults_are_refuted_where_a_function_changes_and_nowhere_else():
    assert {found.changes for found in judged(range(2, 6))} == {True, False}


@pytest.mark.slow(scaled=True)
def test_many_faults_are_refuted_where_a_function_changes_and_nowhere_else():
    assert len(list(judged(sweeps.seeds(5000, 150))))


def test_the_prover_finds_the_file_in_a_bundle(tmp_path):
    content = write(of_tflite.model_of(1))
    network = lower(read_model(content, "net"), rounding_rule("double_rounding"))
    bundle = bundle_of(network, tmp_path / "b", "tflite", {FILE: content})
    prover = TfliteProver()
    assert prover.applies(bundle)
    rows = prover.prove(bundle, announce=lambda what: None, seconds=60.0).rows
    assert {row.status for row in rows} == {"proved"}
    late = prover.prove(bundle, announce=lambda what: None, seconds=-1.0).rows
    assert "out of time" in {row.status for row in late}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return certified(write(of_tflite.model_of(1)), "double_rounding", tmp_path_factory.mktemp("certified"))


SCALES = ("places", "a", "claims", 0)
TAMPERED = {
    "another format": said(["format"], 0),
    "another kind": said(["kind"], "network"),
    "another network": said(["network"], "0" * 64),
    "another file": said(["artifacts", FILE], "0" * 64),
    "no file": said(["artifacts"], {}),
    "a place left out": lambda content: content["places"].pop("f"),
    "a place too much": said(["places", "z"], {"claims": []}),
    "a claim left out": lambda content: content["places"]["a"]["claims"].pop(),
    "fewer entries": lambda content: content["places"]["f"]["claims"].pop(),
    "another tensor": said([*SCALES, "tensor"], lambda index: index + 1),
    "a later crossing": said([*SCALES, "crossings", 0], lambda at: at + 1),
    "a crossing left out": lambda content: content["places"]["a"]["claims"][0]["crossings"].pop(),
    "a narrower range": said([*SCALES, "range", 0], lambda low: low + 1),
    "a smaller deviation": said([*SCALES, "worst"], "1/2"),
    "fewer elsewhere": said([*SCALES, "elsewhere"], lambda count: count - 1),
    "text for a number": said([*SCALES, "crossings", 0], "1"),
    "the sums of another operator": said(["places", "a_acc", "claims", 0, "tensor"], 5),
    "the entries of another tensor": said(["places", "f", "claims", 0, "tensor"], 1),
    "the output left out": lambda content: content["places"].pop("output"),
    "another input": said(["places", "input", "claims", 0, "tensor"], 4),
    "a crossing twice": lambda content: content["places"]["a"]["claims"][0]["crossings"].insert(0, -19243),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_certificate_is_refused(folder, change):
    path = folder / "proof" / "tflite" / "certificate.json"
    refused(path, change, lambda: check_certificate(folder, "tflite"))


def test_faults_claimed_to_be_proved_are_refused_by_the_checker(tmp_path):
    """The checker alone: crossings and figures of the sound network, said of one with a fault."""
    content = write(of_tflite.model_of(1))
    network = lower(read_model(content, "net"), rounding_rule("double_rounding"))
    sound = certified(content, "double_rounding", tmp_path / "sound") / "proof" / "tflite" / "certificate.json"
    refusals = 0
    for seed in range(12, 24, 3):
        try:
            changed, *_ = of_tflite.changed(network, seed)
        except EdgemlError:
            continue
        folder = certified(content, "double_rounding", tmp_path / str(seed), changed)
        path = folder / "proof" / "tflite" / "certificate.json"
        own = json.loads(path.read_text())
        if all(claim["status"] == "proved" for place in own["places"].values() for claim in place["claims"]):
            continue
        claimed = json.loads(sound.read_text())
        claimed["network"] = own["network"]
        path.write_text(json.dumps(claimed))
        refusals += 1
        with pytest.raises(CheckFailed, match="certificate"):
            check_certificate(folder, "tflite")
    assert refusals


def two_ways(turned: bool) -> Model:
    """max(zero point, W x) + V x, by two layers of the same scales; `turned`: W and V change places."""
    rng = np.random.default_rng(1)
    tensors = {name: TensorInfo(name, 3, 2.0**-5, 0) for name in ("x", "a", "b", "positive", "y")}
    weights = [rng.integers(-127, 128, (3, 3)).astype(np.int8) for _ in range(2)]
    ways = [
        FullyConnected(name, ("x",), weight, 8, np.array([0.004], np.float32), np.zeros(3, np.int32), "none")
        for name, weight in zip("ab", reversed(weights) if turned else weights, strict=True)
    ]
    last = Relu("positive", ("a",), math.inf), Add("y", ("positive", "b"))
    return Model("net", tensors, (*ways, *last), "x", "y")


def test_sums_of_one_operator_and_constants_of_another_are_refused(tmp_path):
    """All claims follow, each by itself, for a network whose layers have each other's weights."""
    content, other = (write(two_ways(turned)) for turned in (False, True))
    network = lower(read_model(other, "net"), rounding_rule("double_rounding"))
    path = certified(other, "double_rounding", tmp_path) / "proof" / "tflite" / "certificate.json"
    assert "output" in check_certificate(tmp_path, "tflite")
    claimed = json.loads(path.read_text())
    claimed["artifacts"][FILE] = hashlib.sha256(content).hexdigest()
    (tmp_path / FILE).write_bytes(content)
    sums = [node.name for node in network.nodes if node.layer.kind == "dense"]
    one, two = (claimed["places"][name]["claims"] for name in sums)
    tensors = two[0]["tensor"], one[0]["tensor"]
    for claims, tensor in zip((one, two), tensors, strict=True):
        for claim in claims:
            claim["tensor"] = tensor
    path.write_text(json.dumps(claimed))
    with pytest.raises(CheckFailed, match="certificate"):
        check_certificate(tmp_path, "tflite")
