"""Networks with residual paths, gates and concatenations as QONNX: qonnx's executor gives the golden integers, and the
file that is written is read as the network that it was written from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.network import Add, Dense, InputQuantizer, Layer, Network, Node, Output, Threshold, simulate
from edgeml.network.layers.concat import Concat
from edgeml.network.layers.multiply import Multiply
from edgeml.targets.fpga.qonnx.executor import run_qonnx
from edgeml.targets.fpga.qonnx.folding import names_units
from edgeml.targets.fpga.qonnx.rules import check_model
from edgeml.targets.fpga.qonnx.writer import to_qonnx

JOINS = {"sum": Add(), "product": Multiply(), "concatenation": Concat(6, 6)}


def network(join: str, seed: int) -> Network:
    """Two branches of one hidden layer, signed and unsigned, that meet, and two layers behind them."""
    rng = np.random.default_rng(seed)

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(rng.integers(-3, 4, (outputs, inputs)), 3, rng.integers(-20, 21, outputs))

    def levels(channels: int, base: int, width: int) -> Threshold:
        return Threshold(np.sort(rng.integers(-width, width, (channels, 15))), base)

    layers: list[tuple[str, Layer, tuple[str, ...]]] = [
        ("input", InputQuantizer(8, np.array([1.0]), np.array([0.0]), 0, 4, True), ()),
        ("stem", dense(8, 8), ("input",)),
        ("stem_act", levels(8, -8, 60), ("stem",)),
        ("left", dense(6, 8), ("stem_act",)),
        ("left_act", levels(6, -8, 60), ("left",)),
        ("right", dense(6, 8), ("stem_act",)),
        ("right_act", levels(6, 0, 60), ("right",)),
        ("joined", JOINS[join], ("left_act", "right_act")),
    ]
    width = 12 if join == "concatenation" else 6
    if join == "product":
        layers.append(("joined_act", levels(6, -8, 90), ("joined",)))
    layers += [
        ("mixed", dense(6, width), ("joined_act" if join == "product" else "joined",)),
        ("mixed_act", levels(6, 0, 90), ("mixed",)),
        ("last", Dense(rng.integers(-3, 4, (4, 6)), 3, np.zeros(4, np.int64)), ("mixed_act",)),
    ]
    return Network("net", tuple(Node(*each) for each in layers), Output(np.array([1.0]), 0, ()))


@pytest.mark.parametrize("join", JOINS)
def test_qonnx_computes_the_golden_integers(join: str) -> None:
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    for seed in range(4):
        net = network(join, seed)
        q = np.random.default_rng(seed).integers(-8, 8, (500, 8)).astype(np.int32)
        golden = simulate(net, q)
        assert len(np.unique(golden, axis=0)) > 20
        np.testing.assert_array_equal(run_qonnx(to_qonnx(net), q), golden)


@pytest.mark.parametrize("join", JOINS)
def test_the_file_is_read_as_the_network_that_it_was_written_from(join: str, tmp_path: Path) -> None:
    for seed in range(4):
        net = network(join, seed)
        path = tmp_path / f"{seed}.onnx"
        path.write_bytes(to_qonnx(net))
        found = load_model(path)
        assert isinstance(found, Network)
        kinds = {type(node.layer) for node in found.layers}
        assert (Multiply if join == "product" else Add) in kinds
        q = np.random.default_rng(seed).integers(-8, 8, (500, 8)).astype(np.int32)
        np.testing.assert_array_equal(simulate(found, q), simulate(net, q))


@pytest.mark.parametrize("join", JOINS)
def test_what_finn_was_not_run_on_is_said_of_the_file(join: str) -> None:
    net = network(join, 0)
    (broken,) = [result for result in check_model(to_qonnx(net)) if result.rule == "finn-chain"]
    assert not broken.passed
    assert ("a product" if join == "product" else "a sum") in broken.detail
    assert not names_units(net)


def test_sums_beyond_float32_are_refused() -> None:
    weight = np.full((1, 8), 31)
    layers = [
        Node("input", InputQuantizer(8, np.array([1.0]), np.array([0.0]), 0, 8, True)),
        Node("narrow", Threshold(np.tile(np.arange(-60, 60), (8, 1)), -60), ("input",)),
        Node("a", Dense(weight, 8, np.zeros(1, np.int64)), ("narrow",)),
        Node("b", Dense(weight, 8, np.zeros(1, np.int64)), ("narrow",)),
        Node("product", Multiply(), ("a", "b")),
    ]
    first = Node("input", InputQuantizer(8, np.array([1.0]), np.array([0.0]), 0, 7, True))
    with pytest.raises(InputError, match=r"layer product: rule float32: gives values of up to \d+"):
        to_qonnx(Network("net", (first, *layers[1:]), Output(np.array([1.0]), 0, ())))


@pytest.mark.slow(scaled=True)
def test_a_gated_model_has_a_qonnx_file_that_is_verified(tmp_path: Path) -> None:
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    torch = pytest.importorskip("torch")

    class Gated(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.both, self.head = torch.nn.Linear(5, 12), torch.nn.Linear(6, 3)

        def forward(self, x: object) -> object:
            return self.head(torch.relu(torch.nn.functional.glu(self.both(x), 1)))

    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 5))
    bundle = edgeml.convert(
        Gated().eval(), to="quantized", target="xc7a35t", data={"x": x}, output=tmp_path / "b",
        options={"epochs": 0, "bits": 4, "input_bits": 4},
    )  # fmt: skip
    assert (bundle.folder / "qonnx" / "model.onnx").is_file()
    verdicts = {each.name: each for each in edgeml.verify(bundle, ["qonnx"])}
    assert verdicts["qonnx"].status == "exact"
