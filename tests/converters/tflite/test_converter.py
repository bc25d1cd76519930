"""The converter: float MLPs to int8, its options, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.executors import _real
from edgeml.converters.tflite.flatbuffer import read_root
from edgeml.converters.tflite.fusion import fuse
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.add import Add as AddOperator
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.tables import tie_distance
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.network import Network, simulate
from edgeml.network.network_file import model_hash, to_bytes
from edgeml.plugins import Conversion

from .random_models import random_mlp


def silent(*given: object) -> None:
    """No progress."""


def convert(mlp: Mlp, data: Dataset, **options: object) -> Conversion:
    return TfliteConverter().convert(mlp, data, options, silent)


def data_for(mlp: Mlp, seed: int = 0, samples: int = 600) -> Dataset:
    generator = np.random.default_rng(seed)
    x = generator.normal(0.3, 1.0, (samples, mlp.input_size))
    y = mlp.evaluate(x).argmax(axis=1)
    return Dataset(x[100:], x[:100], y[100:], y[:100])


def linear(generator: np.random.Generator, outputs: int, inputs: int) -> Linear:
    return Linear(generator.normal(0, 1 / np.sqrt(inputs), (outputs, inputs)), generator.normal(0, 0.2, outputs))


def chain(*operators: object, inputs: int = 12) -> Mlp:
    nodes, previous = [], "input"
    for k, operator in enumerate(operators):
        nodes.append(MlpNode(f"n{k}", operator, (previous,)))
        previous = f"n{k}"
    return Mlp("chain", inputs, tuple(nodes))


def real_error(mlp: Mlp, network: Network, x: np.ndarray) -> float:
    """Root mean squared error of the integer network, as a share of the outputs' standard deviation."""
    real = network.output.real(simulate(network, network.quantizer.quantize(x)))
    expected = mlp.evaluate(x)
    return float(np.sqrt(np.square(real - expected).mean()) / expected.std())


@pytest.fixture(scope="module")
def digits() -> tuple[Mlp, Dataset]:
    """A float MLP trained on scikit-learn's digits."""
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn")
    import torch

    bunch = datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.data))
    x, y = (bunch.data / 16).astype(np.float32)[order], bunch.target.astype(np.int64)[order]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
        )
        optimizer = torch.optim.Adam(net.parameters(), 2e-3)
        inputs, targets = torch.tensor(x[:1400]), torch.tensor(y[:1400])
        for _ in range(60):
            for chosen in torch.randperm(1400).split(64):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(net(inputs[chosen]), targets[chosen]).backward()
                optimizer.step()
    layers = [Linear(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in net if isinstance(m, torch.nn.Linear)]
    relu = Clamp(0.0, np.inf)
    mlp = replace(chain(layers[0], relu, layers[1], relu, layers[2], inputs=64), final="softmax")
    return mlp, Dataset(x[:1400], x[1400:], y[:1400], y[1400:])


def lost_points(conversion: Conversion) -> float:
    accuracy = conversion.metrics["accuracy"]
    return 100 * (accuracy["float"] - accuracy["integer"])


@pytest.mark.parametrize("options", [{}, {"per_tensor": True}, {"calibration": "minmax"}, {"percentile": 99.9}])
def test_int8_loses_less_than_half_a_point(digits: tuple[Mlp, Dataset], options: dict[str, object]) -> None:
    conversion = convert(*digits, **options)
    assert conversion.metrics["accuracy"]["float"] > 0.96
    assert lost_points(conversion) < 0.5


def test_universal_mode_says_what_it_costs(digits: tuple[Mlp, Dataset]) -> None:
    conversion = convert(*digits, rounding="shift")
    assert lost_points(conversion) < 1.0
    assert conversion.metrics["free_scales"]["accuracy"]["integer"] > 0.9
    assert any("power-of-two scales with 6-bit weights cost" in note for note in conversion.notes)


@pytest.mark.parametrize(("options", "most_lost"), [({"weight_bits": 4}, 1.5), ({"weight_bits": 2}, 4.0)])
def test_training_recovers_narrow_weights(
    digits: tuple[Mlp, Dataset], options: dict[str, object], most_lost: float
) -> None:
    trained = convert(*digits, **options, epochs=12)
    calibrated = convert(*digits, **options, epochs=0)
    assert lost_points(trained) < most_lost
    assert lost_points(trained) <= lost_points(calibrated)
    weights = [node.layer.weight for node in trained.network.nodes if node.layer.kind == "dense"]
    assert max(int(np.abs(weight).max()) for weight in weights) == 2 ** (options["weight_bits"] - 1) - 1


def test_the_same_arguments_give_the_same_bytes(digits: tuple[Mlp, Dataset]) -> None:
    one, other = (convert(*digits, weight_bits=4, epochs=1, seed=3) for _ in range(2))
    assert one.files == other.files
    assert to_bytes(one.network) == to_bytes(other.network)


def test_the_file_names_its_rounding_and_the_network_and_reads_back_as_it(digits: tuple[Mlp, Dataset]) -> None:
    for rounding in ("shift", "litert", "tflm", "float64_away"):
        conversion = convert(*digits, rounding=rounding)
        (content,) = conversion.files.values()
        model = read_model(content, conversion.network.name)
        stated = json.loads(model.metadata["edgeml"])
        assert stated["rounding"] == rounding
        assert stated["model_hash"] == model_hash(conversion.network)


@pytest.mark.parametrize("seed", range(8))
def test_any_mlp_is_near_its_float_model(seed: int) -> None:
    """Batch norms, clamps and odd widths are folded rightly: the integers stand for the float outputs."""
    mlp = random_mlp(np.random.default_rng(seed), widest=80)
    data = data_for(mlp)
    for options in ({}, {"rounding": "shift"}):
        assert real_error(mlp, convert(mlp, data, **options).network, data.x_test) < 0.12


def test_sigmoid_and_tanh_are_near_their_float_model_and_clear_of_ties() -> None:
    generator = np.random.default_rng(2)
    mlp = chain(linear(generator, 20, 12), Sigmoid(), linear(generator, 16, 20), Tanh(), linear(generator, 5, 16))
    data = data_for(mlp)
    for options in ({}, {"rounding": "shift"}):
        conversion = convert(mlp, data, **options)
        assert real_error(mlp, conversion.network, data.x_test) < 0.1
        (content,) = conversion.files.values()
        model = read_model(content)
        for operator in model.operators:
            if hasattr(operator, "name"):
                source, target = model.tensors[operator.inputs[0]], model.tensors[operator.output]
                assert tie_distance(operator.name, source, target) >= 2.0**-12


def test_a_residual_path_gets_one_scale_and_is_near_its_float_model() -> None:
    generator = np.random.default_rng(3)
    nodes = (
        MlpNode("stem", linear(generator, 16, 12), ("input",)),
        MlpNode("relu", Clamp(0, np.inf), ("stem",)),
        MlpNode("branch", linear(generator, 16, 16), ("relu",)),
        MlpNode("sum", Add(), ("relu", "branch")),
        MlpNode("after", Clamp(0, np.inf), ("sum",)),
        MlpNode("head", linear(generator, 4, 16), ("after",)),
    )
    mlp = Mlp("residual", 12, nodes)
    data = data_for(mlp)
    for options in ({}, {"rounding": "shift"}):
        conversion = convert(mlp, data, **options)
        assert real_error(mlp, conversion.network, data.x_test) < 0.1
        (content,) = conversion.files.values()
        model = read_model(content)
        (added,) = (operator for operator in model.operators if isinstance(operator, AddOperator))
        assert len({model.tensors[name].scale for name in (*added.inputs, added.output)}) == 1


def test_a_residual_path_out_of_a_sigmoid_is_refused_with_the_reason() -> None:
    generator = np.random.default_rng(3)
    nodes = (
        MlpNode("a", linear(generator, 8, 12), ("input",)),
        MlpNode("gate", Sigmoid(), ("a",)),
        MlpNode("sum", Add(), ("a", "gate")),
    )
    mlp = Mlp("gated", 12, nodes)
    with pytest.raises(InputError, match="whose scale the runtimes prescribe"):
        convert(mlp, data_for(mlp))


def test_hardtanh_is_the_saturation_of_int8() -> None:
    generator = np.random.default_rng(5)
    mlp = chain(linear(generator, 20, 12), Clamp(-1.0, 1.0), linear(generator, 4, 20))
    data = data_for(mlp)
    assert real_error(mlp, convert(mlp, data).network, data.x_test) < 0.05


def test_bias_correction_takes_the_mean_error_off() -> None:
    generator = np.random.default_rng(6)
    mlp = chain(linear(generator, 60, 12), Clamp(0, np.inf), linear(generator, 6, 60))
    data = data_for(mlp)

    def mean_error(corrected: bool) -> float:
        network = convert(mlp, data, weight_bits=4, epochs=0, bias_correction=corrected).network
        real = network.output.real(simulate(network, network.quantizer.quantize(data.x)))
        return float(np.abs((real - mlp.evaluate(data.x)).mean(axis=0)).mean())

    assert mean_error(True) < 0.5 * mean_error(False)


def test_float_inputs_that_executors_feed_quantize_back_to_the_same_integers() -> None:
    generator = np.random.default_rng(7)
    q = np.arange(-128, 128)
    for _ in range(200):
        scale = float(np.float32(10 ** generator.uniform(-6, 3)))
        info = TensorInfo("x", 256, scale, int(generator.integers(-128, 128)))
        fed = _real(q, Model("m", {"x": info}, (), "x", "x"))
        assert np.array_equal(np.rint(fed / np.float32(info.scale)) + info.zero_point, q)


def test_kept_softmax_stands_in_the_file_and_the_network_ends_before_it(digits: tuple[Mlp, Dataset]) -> None:
    dropped, kept = convert(*digits), convert(*digits, softmax="keep")
    assert to_bytes(kept.network) == to_bytes(dropped.network)
    (content,) = kept.files.values()
    codes = [code["builtin_code"] for code in read_root(content)["operator_codes"]]
    assert 25 in codes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounding": "up"}, "must be one of shift, double_rounding"),
        ({"weight_bits": 3}, "8, 4 or 2 bits, found 3"),
        ({"rounding": "shift", "weight_bits": 7}, "no room for the 2 guard bits"),
        ({"per_tensor": "perhaps"}, "must be true or false"),
        ({"calibration": "guess"}, "must be one of"),
        ({"percentile": 20}, "must be a number above 50"),
        ({"softmax": "melt"}, "must be drop or keep"),
        ({"softmax": "keep"}, "the model ends in no softmax"),
        ({"epochs": -1}, "must be a whole number"),
        ({"bits": 4, "weight_bits": 2}, "options bits and weight_bits: are 4 and 2"),
        ({"percentile": 99.0, "calibration": "minmax"}, "options percentile and calibration: cannot work together"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    mlp = chain(linear(np.random.default_rng(0), 3, 12))
    with pytest.raises(InputError, match=message):
        convert(mlp, data_for(mlp), **options)


def test_no_data_is_an_input_error() -> None:
    with pytest.raises(InputError, match="calibrated on samples"):
        TfliteConverter().convert(chain(linear(np.random.default_rng(0), 3, 12)), None, {}, silent)


def test_a_batch_norm_that_no_layer_takes_is_one_of_its_own() -> None:
    generator = np.random.default_rng(0)
    for scale in (np.full(5, 2.0), np.arange(5.0)):
        mlp = chain(linear(generator, 5, 12), Sigmoid(), Affine(scale, scale - 1), Tanh())
        graph, x = fuse(mlp), generator.normal(size=(9, 12))
        assert np.allclose(graph.trace(x)[graph.stages[-1].name], mlp.evaluate(x))
        assert [stage.name for stage in graph.stages if not getattr(stage, "trained", True)] == ["line2"]


def test_a_batch_norm_of_too_many_channels_is_refused_by_its_place() -> None:
    generator = np.random.default_rng(0)
    mlp = chain(linear(generator, 300, 12), Sigmoid(), Affine(np.arange(300.0), np.zeros(300)), Tanh())
    with pytest.raises(InputError, match="of 300 values that cannot be merged into a linear layer"):
        fuse(mlp)


def test_a_bundle_of_a_network_that_is_taken_as_it_is_says_that_it_holds_no_file(tmp_path: Path) -> None:
    mlp = chain(linear(np.random.default_rng(0), 3, 12))
    (tmp_path / "n.edgeml").write_bytes(to_bytes(convert(mlp, data_for(mlp)).network))
    bundle = edgeml.convert(tmp_path / "n.edgeml", to="tflite", target="host", output=tmp_path / "out")
    assert any("holds no .tflite file" in note for note in bundle.manifest["notes"])
    assert not list(bundle.folder.rglob("*.tflite"))
