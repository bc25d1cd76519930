"""Networks beside their quantized models: proved whole as extracted, refuted where changed, followed by the checker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.proof_mutants import of_quantized
from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedLinear, QuantizedModel, Quantizer
from edgeml.converters.quantized.model_file import BREVITAS_FILE, to_bytes
from edgeml.converters.quantized.proving.claims import model_claims
from edgeml.converters.quantized.proving.prover import QuantizedProver
from edgeml.converters.quantized.user_operators import as_user_operator
from edgeml.converters.spiking.exact import to_spikes
from edgeml.errors import CheckFailed
from edgeml.frontends.float_operators.encode import Encode
from edgeml.network import Network, network_file
from edgeml.proof.checkers.quantized import check_certificate
from edgeml.proof.place_claims import statement_certificate
from tests import sweeps
from tests.converters.quantized.random_models import ModelShape, model_of
from tests.sdk.proof.certified import bundle_of, refused, said

CHAINS = ("", "r", "a", "c", "ac", "ca", "ra", "aca", "cac", "aaca")


def random_model(seed: int) -> QuantizedModel:
    """Linear layers behind chains of normalisations of any slope and clamps, residual sums, ties on purpose."""
    rng = np.random.default_rng(seed)
    layers = int(rng.integers(2, 5))
    widths = [int(rng.integers(1, 9))]
    for _ in range(layers):
        widths.append(widths[-1] if rng.random() < 0.5 else int(rng.integers(1, 9)))

    def some(low: int, high: int, count: int) -> tuple[int, ...]:
        return tuple(int(each) for each in rng.integers(low, high, count))

    hidden = layers - 1
    signed, residual = (tuple(bool(each) for each in rng.random(hidden) < 0.5) for _ in range(2))
    chains = tuple(CHAINS[index] for index in some(0, len(CHAINS), hidden))
    ties, input_signed = (bool(each) for each in rng.random(2) < 0.5)
    bits = some(1, 9, layers), some(1, 7, hidden), int(rng.integers(1, 9))
    return model_of(
        ModelShape(tuple(widths), bits[0], bits[1], signed, chains, residual, ties, bits[2], input_signed, seed)
    )


def one_hot_model() -> QuantizedModel:
    """Categories and bits of three inputs, whose products become tables and a dense layer beside them."""
    rng = np.random.default_rng(0)
    source, rule = np.repeat([0.0, 1.0, 2.0], 4), np.repeat([3.0, 3.0, 1.0], 4)
    encode = Encode(source, rule, np.tile([0.0, 1.0, 2.0, 3.0], 3), 3, 4)
    weight = [rng.integers(-3, 4, shape).astype(np.int32) for shape in ((4, 12), (2, 4))]
    first = QuantizedLinear(weight[0], 3, True, np.full(4, 0.5), rng.integers(-4, 4, 4) / 4)
    return QuantizedModel(
        "hot",
        (
            ModelNode("input", Input(3, np.array([1.0]), np.array([0.0]), 4, False, 1.0)),
            ModelNode("encode", as_user_operator(encode), ("input",)),
            ModelNode("fc0", first, ("encode",)),
            ModelNode("act0", Quantizer(0.75, 2, False), ("fc0",)),
            ModelNode("fc1", QuantizedLinear(weight[1], 3, True, np.array([0.5]), np.array([0.375, 0.0])), ("act0",)),
        ),
    )


def certified(model: QuantizedModel, network: Network, folder: Path) -> Path:
    """A folder with model, network and certificate, as they lie in a bundle."""
    files = {BREVITAS_FILE: to_bytes(model), "network.edgeml": network_file.to_bytes(network)}
    places = model_claims(model, network)
    certificate = statement_certificate(
        "quantized", files["network.edgeml"], places, {BREVITAS_FILE: files[BREVITAS_FILE]}
    )
    files |= {f"proof/quantized/{name}": content for name, content in certificate.items()}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def require_proved(model: QuantizedModel, network: Network, folder: Path) -> None:
    """Hold that all claims are proved, and that the checker follows them."""
    found = check_certificate(certified(model, network, folder), "quantized")
    assert network.nodes[-1].name in found
    assert all(claims == proved > 0 for claims, proved in found.values()), found


@pytest.mark.parametrize("seed", range(8))
def test_networks_are_proved_as_they_are_extracted(seed, tmp_path):
    model = random_model(seed)
    require_proved(model, extract(model), tmp_path)


@pytest.mark.slow(scaled=True)
def test_many_networks_are_proved_as_they_are_extracted(tmp_path):
    for seed in sweeps.seeds(1000, 200):
        model = random_model(seed)
        require_proved(model, extract(model), tmp_path / str(seed))


@pytest.mark.parametrize("encoding", ["", "unary", "sar"])
def test_tables_of_inputs_are_proved_as_layers_and_as_spikes(encoding, tmp_path):
    model = one_hot_model()
    network = extract(model)
    assert "tables" in {node.layer.kind for node in network.nodes}
    require_proved(model, to_spikes(network, encoding) if encoding else network, tmp_path)


def judged(seeds):
    """Mutants, each held against all values."""
    for seed in seeds:
        found = of_quantized.judge(seed)
        assert found.right, (seed, found)
        yield found


def test_faults_are_refuted_where_a_function_changes_and_nowhere_else():
    assert {found.changes for found in judged(range(14, 26))} == {True, False}


@pytest.mark.slow(scaled=True)
def test_many_faults_are_refuted_where_a_function_changes_and_nowhere_else():
    assert len(list(judged(sweeps.seeds(3000, 150))))


def test_the_prover_finds_the_model_in_a_bundle(tmp_path):
    model = of_quantized.model_of(0)
    bundle = bundle_of(extract(model), tmp_path / "b", "quantized", {BREVITAS_FILE: to_bytes(model)})
    prover = QuantizedProver()
    assert prover.applies(bundle)
    rows = {row.part: row for row in prover.prove(bundle, announce=lambda what: None, seconds=9.0).rows}
    assert rows["act0"].method.startswith("thresholds in rationals behind clamp, affine; the float64 model at ")
    late = prover.prove(bundle, announce=lambda what: None, seconds=-1.0).rows
    assert {row.status for row in late} == {"out of time"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    model = of_quantized.model_of(0)
    return certified(model, extract(model), tmp_path_factory.mktemp("certified"))


TAMPERED = {
    "another format": said(["format"], 0),
    "another kind": said(["kind"], "network"),
    "another network": said(["network"], "0" * 64),
    "another model": said(["artifacts", BREVITAS_FILE], "0" * 64),
    "no model": said(["artifacts"], {}),
    "a further file": said(["artifacts", "network.edgeml"], "0" * 64),
    "a place left out": lambda content: content["places"].pop("act0"),
    "a place too much": said(["places", "act9"], {"claims": []}),
    "a claim left out": lambda content: content["places"]["act0"]["claims"].pop(),
    "a claim too much": lambda content: content["places"]["act0"]["claims"].append({"status": "proved"}),
    "a narrower range": said(["places", "act0", "claims", 0, "range", 0], lambda low: low + 1),
    "a wider range": said(["places", "act1", "claims", 1, "range", 1], lambda high: high + 1),
    "no range": lambda content: content["places"]["act0"]["claims"][0].pop("range"),
    "text for a number": said(["places", "act0", "claims", 0, "range", 0], "1"),
    "a third end of a range": lambda content: content["places"]["act0"]["claims"][0]["range"].append(99),
    "the range of another channel": said(["places", "act1", "claims", 0, "range"], [-1, 1]),
    "no claims": lambda content: content.pop("places"),
    "claims that are a number": said(["places", "linear2", "claims"], 2),
    "the file of another folder": said(["artifacts"], {"../network.safetensors": "0" * 64}),
    "places of other names": lambda c: c["places"].update(act2=c["places"].pop("act1")),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_certificate_is_refused(folder, change):
    path = folder / "proof" / "quantized" / "certificate.json"
    refused(path, change, lambda: check_certificate(folder, "quantized"))


def test_faults_claimed_to_be_proved_are_refused_by_the_checker(tmp_path):
    """The checker alone: a prover that says `proved` of everything convinces nobody."""
    model = of_quantized.model_of(1)
    network = extract(model)
    refusals = 0
    for seed in range(1, 71, 7):
        changed, *_ = of_quantized.changed(network, seed)
        folder = certified(model, changed, tmp_path / str(seed))
        path = folder / "proof" / "quantized" / "certificate.json"
        content = json.loads(path.read_text())
        statuses = [claim["status"] for place in content["places"].values() for claim in place["claims"]]
        for place in content["places"].values():
            for claim in place["claims"]:
                claim["status"] = "proved"
        path.write_text(json.dumps(content))
        if set(statuses) == {"proved"}:
            check_certificate(folder, "quantized")
            continue
        refusals += 1
        with pytest.raises(CheckFailed, match="certificate"):
            check_certificate(folder, "quantized")
    assert refusals > 4
