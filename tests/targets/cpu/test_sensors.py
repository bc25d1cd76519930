"""C that makes input integers of real numbers and raw counts, compiled for this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.errors import CheckFailed, InputError
from edgeml.network import Network, network_file
from edgeml.targets.c import generate
from edgeml.targets.c.sensors.counts import Count
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_sensor import NativeSensor
from tests.sweeps import cases, seed_for

from ..c.sensors.sensed import NETWORKS, floats_for, of_count, of_floats

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wfloat-equal", "-Wshadow", "-Werror")


def is_exact(network: Network, seed: int, count: int, *flags: str) -> None:
    """For floats of all kinds, and back."""
    sensor = NativeSensor(generate(network, CPU_DIALECT), flags=(*STRICT, *flags))
    x = floats_for(network.quantizer, seed, count)
    wrong = sensor.quantize(x) != of_floats(network.quantizer, x)
    assert not wrong.any(), (x[wrong][:4], sensor.quantize(x)[wrong][:4], of_floats(network.quantizer, x)[wrong][:4])
    outputs = np.random.default_rng(seed).integers(-(2**31), 2**31, (32, 3)).astype(np.int32)
    np.testing.assert_array_equal(sensor.dequantize(outputs), network.output.real(outputs).astype(np.float32))


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
@pytest.mark.parametrize("flags", [("-O0",), ("-O3", "-march=native")], ids=" ".join)
def test_floats_become_the_quantizers_integers(network: Network, flags: tuple[str, ...]) -> None:
    is_exact(network, 1, 1500, *flags)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("number", range(len(NETWORKS)))
def test_a_million_floats_become_the_quantizers_integers(number: int) -> None:
    network = NETWORKS[number]
    is_exact(network, seed_for(number), cases(1_000_000) // network.input_size, "-O3", "-march=native")


def test_every_count_becomes_its_integer() -> None:
    network = NETWORKS[1]
    counts = (Count(0.001), Count(-0.05, 1e3), Count(0.1, -5.0), Count(1e-6, 3.3), Count(1.75, 1e7), Count(2.5))
    sensor = NativeSensor(generate(network, CPU_DIALECT, counts), flags=(*STRICT, "-O1"))
    raw = np.tile(np.arange(-(2**15), 2**15)[:, None], 6).astype(np.int16)
    found = sensor.quantize_counts(raw)
    assert np.all(np.diff(found, axis=0) * [1, -1, 1, 1, 1, 1] >= 0)
    for feature, count in enumerate(counts):
        steps = np.flatnonzero(np.diff(found[:, feature]))
        assert len(steps), feature
        for place in [0, len(raw) - 1, *steps, *(steps + 1)]:
            expected = of_count(network.quantizer, feature, count, int(raw[place, feature]))
            assert found[place, feature] == expected, (feature, raw[place, feature])


@pytest.fixture
def model(tmp_path: Path) -> str:
    network_file.write(NETWORKS[1], tmp_path / "units.edgeml")
    return str(tmp_path / "units.edgeml")


def test_a_bundle_says_that_its_functions_agree_with_its_header(model: str, tmp_path: Path) -> None:
    counts = "0.001,0.05@1000,0.1@-5,1e-6@3.3,1.75@1e7,2.5"
    bundle = edgeml.convert(
        model, to="quantized", target="host", options={"counts": counts}, output=str(tmp_path / "made")
    )
    (found,) = (each for each in bundle.manifest["verification"] if each["name"] == "native, real numbers")
    assert found["status"] == "exact"
    assert "units_quantize" in found["detail"]
    path = bundle.folder / "c" / "units_counts.c"
    path.write_text(path.read_text().replace(", 0, ", ", 1, ", 1))
    with pytest.raises(CheckFailed, match=r"units_counts\.c: differs from the C that this edgeml generates"):
        replace(bundle).run(np.zeros((1, 6), np.float32), on="native")


def test_a_sensor_that_is_wrong_is_told_by_file_feature_and_value() -> None:
    from edgeml.targets.c.sensors.checked import check_counts, check_floats

    quantizer = NETWORKS[0].quantizer
    x = np.array([[0.0, 1.0, 2.0, 3.0]])
    with pytest.raises(CheckFailed, match=r"a_sensor\.c: makes 1 of 0\.0, feature 0; the quantizer gives 0"):
        check_floats(quantizer, lambda floats: quantizer.quantize(floats.astype(float)) + 1, x, "a_sensor.c")
    with pytest.raises(CheckFailed, match=r"a_counts\.c: makes 0 of 32767, feature 0; the quantizer gives 255"):
        check_counts(quantizer, lambda raw: np.zeros(raw.shape, np.int32), [Count(0.01)], "a_counts.c")


def test_counts_that_do_not_fit_the_network_leave_no_bundle(model: str, tmp_path: Path) -> None:
    for target in ("host", "cortex-m4"):
        with pytest.raises(InputError, match="counts of 4 features stand for; the network has 6 inputs"):
            edgeml.convert(
                model, to="quantized", target=target, options={"counts": "1,1,1,1"}, output=str(tmp_path / "no")
            )
        assert not (tmp_path / "no").exists()
