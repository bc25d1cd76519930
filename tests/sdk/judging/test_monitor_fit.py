"""Thresholds of a monitor leave out as many samples as were asked for; what it is worth is computed from the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.bundle import Bundle, check_monitor
from edgeml.cli import main
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed, InputError
from edgeml.judging.monitor_fit import hidden_node, with_monitor
from edgeml.judging.unknown_inputs import area_under_roc, broken_inputs, figures
from edgeml.network import Network, Output, monitored, simulate, trace
from edgeml.network.network_file import write
from edgeml.report import render
from edgeml.verification.golden_executor import GoldenExecutor
from tests.network.monitors import inputs_for
from tests.targets.mcu.networks import random_network

NETWORK = random_network(6, (8, 12, 3), 2, input_bits=4)


def dataset(network: Network = NETWORK, count: int = 900) -> Dataset:
    """Samples near one of three patterns, and the network's own answers as classes."""
    generator = np.random.default_rng(2)
    patterns = inputs_for(network, 3)
    rows = generator.integers(3, size=count)
    x = np.clip(patterns[rows] + generator.integers(-2, 3, (count, network.input_size)), 0, 15).astype(np.float64)
    y = simulate(network, x.astype(np.int32)).argmax(1)
    y[:3] = [0, 1, 2]
    half = count // 2
    return Dataset(x[:half], x[half:], y[:half], y[half:])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("monitored")
    write(replace(NETWORK, name="watched"), folder / "watched.edgeml")
    data = dataset()
    arrays = {"x": data.x, "y": data.y, "x_test": data.x_test, "y_test": data.y_test}
    path = str(folder / "watched.edgeml")
    given = {"to": "quantized", "target": "host", "data": arrays, "output": folder / "bundle"}
    return edgeml.convert(path, monitor=0.05, **given)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_thresholds_leave_out_the_share_that_is_asked_for(rate: float) -> None:
    data = dataset()
    network = with_monitor(NETWORK, data, rate)
    q = NETWORK.quantizer.quantize(data.x_test[0::2])
    seen = monitored(network, q)
    allowed = int(rate * (len(q) + 1)) - 1
    alarms = int((~seen.known).sum())
    assert alarms <= allowed
    monitor = network.monitor
    assert monitor is not None
    assert monitor.hidden is not None
    # The next stricter thresholds, each at the sample that is left out next, leave out more than is allowed.
    margins, to_input, to_hidden = (np.sort(v) for v in (seen.margin, -seen.input_distance, -seen.hidden_distance))
    limits = np.array([monitor.margin, -monitor.input.limit, -monitor.hidden.limit])
    ranks = [int(np.searchsorted(v, limit)) for v, limit in zip((margins, to_input, to_hidden), limits, strict=True)]
    level = max(ranks)
    stricter = [v[min(level + 1, len(v) - 1)] for v in (margins, to_input, to_hidden)]
    out = (seen.margin < stricter[0]) | (-seen.input_distance < stricter[1]) | (-seen.hidden_distance < stricter[2])
    assert int(out.sum()) > allowed or max(limits - stricter) >= 0


def test_prototypes_are_means_of_each_class_rounded_halves_up() -> None:
    data = dataset()
    network = with_monitor(NETWORK, data, 0.05)
    monitor = network.monitor
    assert monitor is not None
    values = trace(NETWORK, data.x.astype(np.int32))
    for each in monitor.prototypes:
        low = NETWORK.ranges[each.node].bounds[0]
        for label in range(3):
            chosen = values[each.node][data.y == label] - low
            expected = np.floor(chosen.mean(0) * 2**each.fraction_bits + 0.5)
            np.testing.assert_array_equal(each.values[label], expected.astype(int))


def test_what_cannot_have_a_monitor_is_refused() -> None:
    data = dataset()
    values = replace(NETWORK, output=Output(np.ones(1), task="values"))
    with pytest.raises(InputError, match="the network gives values"):
        with_monitor(values, data, 0.01)
    with pytest.raises(InputError, match="needs data"):
        with_monitor(NETWORK, None, 0.01)
    with pytest.raises(InputError, match=r"a rate of 0.001 cannot be set by 225 samples.*2000 samples"):
        with_monitor(NETWORK, data, 0.001)
    with pytest.raises(InputError, match="holds no sample of class 2"):
        with_monitor(NETWORK, replace(data, y=np.minimum(data.y, 1)), 0.05)


def test_the_hidden_layer_is_the_last_whose_values_fit_a_byte() -> None:
    assert hidden_node(NETWORK) == "threshold0"
    assert hidden_node(random_network(3, (6, 4), 2)) is None


def test_areas_count_pairs() -> None:
    assert area_under_roc(np.array([1, 2, 3]), np.array([2, 5])) == pytest.approx((1.5 + 3) / 6)


def test_figures_are_of_samples_that_set_no_threshold() -> None:
    data = dataset()
    network = with_monitor(NETWORK, data, 0.05)
    found = figures(network, data, {"zeros": np.zeros((4, 8))})
    others = monitored(network, NETWORK.quantizer.quantize(data.x_test[1::2]))
    assert found["samples"] == len(data.x_test) // 2
    assert found["false_alarms"] == (~others.known).mean()
    assert [row["input"] for row in found["unknown"]][-1] == "zeros"
    row = found["unknown"][0]
    broken = monitored(network, NETWORK.quantizer.quantize(broken_inputs(data.x_test[1::2])[row["input"]]))
    assert row["found"] == (~broken.known).mean() > found["false_alarms"]
    pairs = others.input_distance[:, None] - broken.input_distance[None, :]
    expected = (pairs < 0).mean() + (pairs == 0).mean() / 2
    assert row["auroc"]["input distance"] == pytest.approx(expected, abs=1e-4)
    assert set(row["auroc"]) == {"together", "margin", "input distance", "hidden distance"}


def test_a_conversion_keeps_shows_and_verifies_it(bundle: Bundle) -> None:
    assert bundle.manifest["monitor"] == 0.05
    assert bundle.manifest["metrics"]["monitor"]["rate"] == 0.05
    q, _ = bundle.golden()
    verdicts = {row["name"]: row for row in bundle.manifest["verification"]}
    assert verdicts["golden"]["layers"] == len(bundle.network.nodes) + 5
    result = bundle.run(q, monitor=True)
    assert result.monitored is not None
    assert bundle.run(q).monitored is None
    page = render(bundle.manifest, bundle.network)
    assert "Known and unknown inputs" in page
    assert "--monitor 0.05" in page
    with pytest.raises(InputError, match="executor 'other' does not run the monitor"):
        check_monitor("other", object(), bundle.network)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="has no monitor"):
        check_monitor("golden", GoldenExecutor(), NETWORK)


def test_simulate_says_the_share_of_unknown_inputs(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    q = inputs_for(bundle.network, 40)
    np.save(tmp_path / "q.npy", q)
    unknown = int((~monitored(bundle.network, q).known).sum())
    assert main(["simulate", str(bundle.folder), str(tmp_path / "q.npy")]) == 0
    assert f"{unknown} of 40 inputs ({unknown / 40:.1%}) are unknown to the monitor" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["ice40-up5k", "loihi1"])
def test_targets_that_carry_none_refuse_it_by_name(target: str, bundle: Bundle, tmp_path: Path) -> None:
    path = str(bundle.folder / "network.edgeml")
    with pytest.raises(CheckFailed, match="rule monitor: the network has a monitor"):
        edgeml.convert(path, to="quantized", target=target, output=tmp_path / "bundle")


@pytest.mark.slow
def test_a_form_that_makes_another_network_says_that_the_monitor_is_lost(bundle: Bundle, tmp_path: Path) -> None:
    path = str(bundle.folder / "network.edgeml")
    spiking = edgeml.convert(path, to="spiking", target="host", output=tmp_path / "bundle")
    assert spiking.network.monitor is None
    assert "the monitor of the network is not carried into this form" in spiking.manifest["notes"][0]
