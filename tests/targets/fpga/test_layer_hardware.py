"""Hardware for a kind of layer, from any package as from edgeml; without it, the layer is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.folded.folding_choice import foldings_for_interval
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.fpga.architectures.folded.rtl import library_modules
from edgeml.targets.fpga.architectures.folded.timing import size_fifos
from edgeml.targets.fpga.architectures.unrolled.network_logic import check_unrolled, network_logic
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.estimate.costs import cost_of
from edgeml.targets.fpga.estimate.parts import Parts
from tests.network.random_networks import random_inputs

from ..appending import HARDWARE, appending_network, install_append
from .architectures.unrolled.evaluation import evaluate

PROFILE = "ecp5-25k"


def test_unrolled_logic_of_a_package_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = appending_network(install_append(tmp_path, monkeypatch, HARDWARE, fpga_layers="HARDWARE"), (5, 4))
    q = random_inputs(network, 300, 1)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q.astype(np.int32)))


@pytest.mark.parametrize("sizes", [(5, 4), (8, 3)])
def test_a_folded_unit_of_a_package_keeps_up_with_the_others(
    sizes: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own answers decide on its lanes, its clocks and the FIFOs before it."""
    network = appending_network(install_append(tmp_path, monkeypatch, HARDWARE, fpga_layers="HARDWARE"), sizes)
    planned = 0
    for interval in (4, 12, 40):
        foldings = foldings_for_interval(network, interval)
        if foldings is None:
            assert interval < sum(sizes), "a value of each kind a clock is always to be had"
            continue
        planned += 1
        plan = make_plan(network, foldings)
        assert sizes[0] % foldings["both"].pe == 0
        slowest = max([plan.input_beats] + [chain.clocks_per_frame for chain in plan.chains])
        assert size_fifos(plan).interval == slowest <= interval
    assert planned >= 2
    with pytest.raises(InputError, match="layer both"):
        make_plan(network, {"both": Folding(3, 3)})


def test_the_modules_of_a_package_are_files_of_the_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That they are exact, at exactly the predicted clocks, `tests/outside` shows."""
    network = appending_network(install_append(tmp_path, monkeypatch, HARDWARE, fpga_layers="HARDWARE"), (8, 3))
    built = build(network, Design("folded"))
    assert b"module appending" in built.files["appending.v"]
    assert "appending.v" in built.files["sources.f"].decode().splitlines()


@pytest.mark.parametrize(
    ("known", "has", "lacks"),
    [
        ("LayerHardware('append')", (), ("folded", "unrolled")),
        ("LayerHardware('append', AppendUnit)", ("folded",), ("unrolled",)),
        ("LayerHardware('append', logic=AppendLogic())", ("unrolled",), ("folded",)),
    ],
)
def test_a_layer_without_hardware_in_an_architecture_is_refused_by_name(
    known: str, has: tuple[str, ...], lacks: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the rules, by the plan and by the estimate: a unit that nobody knows is never taken for another."""
    source = f"{HARDWARE}\nHARDWARE = {known}".replace("'append'", '"append"')
    network = appending_network(install_append(tmp_path, monkeypatch, source, fpga_layers="HARDWARE"), (5, 4))
    profile, target = load_profile(PROFILE), FpgaTarget()
    planned = {"folded": lambda: make_plan(network, {}), "unrolled": lambda: check_unrolled(network)}
    for architecture in lacks:
        options = {"architecture": architecture}
        broken = [result for result in target.rules(network, profile, options) if not result.passed]
        assert broken[0].layer == "both"
        with pytest.raises(InputError, match="layer both"):
            planned[architecture]()
        with pytest.raises(InputError, match="layer both"):
            target.estimate(network, profile, options)
    for architecture in has:
        options = {"architecture": architecture}
        assert all(result.passed for result in target.rules(network, profile, options))
        planned[architecture]()
        assert target.estimate(network, profile, options)["luts"] > 0


def test_a_layer_that_no_package_has_hardware_for_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = appending_network(install_append(tmp_path, monkeypatch, ""), (5, 4))
    for plan in (lambda: make_plan(network, {}), lambda: network_logic(network)):
        with pytest.raises(InputError, match="layer both") as caught:
            plan()
        assert "dense" in caught.value.remedy


@pytest.mark.parametrize("lacking", ["add_amounts", "latency", "modules"])
def test_a_unit_that_lacks_an_answer_is_refused(lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HARDWARE.replace(f"def {lacking}(", f"def other_{lacking}(").replace(f"    {lacking} =", "    other =")
    with pytest.raises(InputError, match=rf"AppendUnit lacks {lacking}"):
        install_append(tmp_path, monkeypatch, source, fpga_layers="HARDWARE")


def test_a_module_with_the_name_of_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HARDWARE.replace('modules = ("appending.v",)', 'modules = ("appending.v", "edgeml_fifo.v")')
    append = install_append(tmp_path, monkeypatch, source, fpga_layers="HARDWARE")
    with pytest.raises(InputError, match=r"layer both.*edgeml_fifo\.v"):
        library_modules(make_plan(appending_network(append, (5, 4)), {}))


def test_logic_that_gives_too_few_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HARDWARE.replace("for values in inputs for value", "for values in inputs[:1] for value")
    append = install_append(tmp_path, monkeypatch, source, fpga_layers="HARDWARE")
    with pytest.raises(InputError, match=r"layer both.* gave 5 values for 9"):
        network_logic(appending_network(append, (5, 4)))


def test_a_kind_of_logic_that_no_constant_was_fitted_for_is_named() -> None:
    parts = Parts()
    parts.add("magic", 3.0)
    with pytest.raises(InputError, match=r"layer both.*'magic'"):
        cost_of("both", parts, {"tree": 1.0})


def test_designs_of_packages_are_made_again_from_their_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = appending_network(install_append(tmp_path, monkeypatch, HARDWARE, fpga_layers="HARDWARE"), (5, 4))
    for design in (Design("unrolled"), Design("folded")):
        assert build(network, design).files == build(network, design).files
