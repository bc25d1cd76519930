"""HGQ2 files are the integer networks that HGQ2 computes: its own outputs, to the last bit, ties and ends included.

`make.py` made the files. What may wrap around, or needs more than 8 bits, is refused with its channel.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.converters.quantized.hgq.quantizers import FixedPoint, Settings
from edgeml.converters.quantized.hgq.staircase import ChannelSteps
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.network import Dense, Network, Threshold, simulate

h5py = pytest.importorskip("h5py")

FOLDER = Path(__file__).resolve().parent
NAMES = ("learnt", "symmetric", "wrapping")


def read(path: Path) -> Network:
    network = load_model(path)
    assert isinstance(network, Network)
    return network


def real_outputs(network: Network, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return network.output.real(simulate(network, network.quantizer.quantize(x.astype(np.float64))))


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_hgq2(name: str) -> None:
    """Samples, and a fourth of ties and values beyond the input's ends. Sums are equal; softmax rounds in float32."""
    with np.load(FOLDER / f"{name}.npz") as stored:
        x, y = stored["x"], stored["y"]
    found = real_outputs(read(FOLDER / f"{name}.keras"), x)
    assert len(np.unique(y, axis=0)) > 30
    if name != "symmetric":
        np.testing.assert_array_equal(found, y)
        return
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), y, atol=1e-6)


def test_bits_differ_from_channel_to_channel() -> None:
    """What is read is what the names promise: unlike steps and ends, weights of few bits, thresholds between."""
    network = read(FOLDER / "learnt.keras")
    assert len(np.unique(network.quantizer.scale)) > 1
    layers = [node.layer for node in network.layers]
    assert all(layer.weight_bits <= 8 for layer in layers if isinstance(layer, Dense))
    hidden = network.nodes[[node.name for node in network.nodes].index("act_1")].layer
    assert isinstance(hidden, Threshold)
    met = network.ranges["act_1"]
    assert len(np.unique(met.high)) > 1


def changed(name: str, *, config: Callable[[dict[str, Any]], None] | None = None, **variables: Any) -> bytes:
    """The file with the configuration of its first two QDense changed, or variables: `q_dense__iq__1=5.0`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(FOLDER / f"{name}.keras") as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json" and config is not None:
                whole = json.loads(content)
                config(next(each["config"] for each in whole["config"]["layers"] if each["class_name"] == "QDense"))
                content = json.dumps(whole).encode()
            if member.endswith(".h5"):
                inner = io.BytesIO(content)
                with h5py.File(inner, "a") as file:
                    for path, value in variables.items():
                        layer, part, index = path.split("__")
                        file[f"layers/{layer}/{part}/quantizer/vars/{index}"][...] = value
                content = inner.getvalue()
            new.writestr(member, content)
    return stream.getvalue()


def refusal(content: bytes, folder: Path) -> InputError:
    (folder / "m.keras").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_model(folder / "m.keras")
    return caught.value


def test_it_is_refused_exactly_where_a_sum_can_wrap_around(tmp_path: Path) -> None:
    """The hidden activations of `wrapping` have i integer bits and f fractional ones, and hold levels below 2^(i + f).
    Behind one layer each channel's largest sum is met by some input, so that the refusal is wrong for no i."""
    network = read(FOLDER / "wrapping.keras")
    most = network.ranges["act_0"].high
    with h5py.File(io.BytesIO(zipfile.ZipFile(FOLDER / "wrapping.keras").read("model.weights.h5"))) as file:
        f = np.rint(file["layers/q_dense_1/iq/quantizer/vars/0"][0]).astype(int)
    bits = np.array([int(each).bit_length() for each in most])
    x = np.random.default_rng(0).normal(size=(300, 6)) * 3
    enough = (bits - f)[None].astype(np.float64)
    (tmp_path / "w.keras").write_bytes(changed("wrapping", q_dense_1__iq__2=enough))
    np.testing.assert_array_equal(real_outputs(read(tmp_path / "w.keras"), x), real_outputs(network, x))
    for channel in (0, 3, 7):
        fewer = enough - np.eye(8)[channel]
        error = refusal(changed("wrapping", q_dense_1__iq__2=fewer), tmp_path)
        assert f"its channel {channel} wraps around where a sum reaches the integer {most[channel]}" in error.problem
        assert f"… {2 ** (bits[channel] - 1) - 1}, and" in error.problem
        assert "overflow_mode='SAT'" in error.remedy
        assert "plain.keras" in error.remedy


def setting(part: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda layer: layer[f"{part}_conf"]["config"].update({key: value})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an input of 9 bits": ({"q_dense__iq__1": 7.0}, r"the input has \d+ levels \(channel \d alone has \d+\)"),
    "an input that wraps": ({"config": setting("iq", "overflow_mode", "WRAP")}, "variables|wrap around"),
    "an input that is cut off": ({"config": setting("iq", "round_mode", "TRN")}, "round_mode TRN"),
    "weights of many bits": ({"q_dense_1__kq__0": 12.0}, r"are integers of \d+ bits \(output \d+\)"),
    "another quantizer": ({"config": setting("kq", "q_type", "float")}, "kq_conf has .*float"),
    "another rounding": ({"config": setting("kq", "round_mode", "RND_ZERO")}, "kq_conf has .*RND_ZERO"),
    "a scale": ({"config": setting("bq", "scaler", 0.3)}, "bq_conf has scaler = 0.3"),
    "no bits": ({"q_dense__kq__0": 1e30}, "more than 24 bits"),
    "a number that is none": ({"q_dense__kq__0": float("nan")}, "finite numbers"),
    "signs of two bits": ({"q_dense__iq__2": 2}, "more than 24 bits|sign"),
    "another activation": ({"config": lambda layer: layer.update(activation="tanh")}, "another one than relu"),
    "no quantizer of weights": ({"config": lambda layer: layer.update(kq_conf=None)}, "kq_conf is None"),
    "no quantizer of the input": ({"config": lambda layer: layer.update(enable_iq=False)}, "without a quantizer"),
    "an unknown setting": ({"config": lambda layer: layer.update(folded=True)}, "setting folded"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_an_integer_network_of_8_bits_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    change, text = REFUSED[case]
    error = refusal(changed("learnt", **change), tmp_path)
    assert re.search(text, str(error)), str(error)


@pytest.mark.parametrize("overflow", ["SAT", "SAT_SYM", "WRAP"])
@pytest.mark.parametrize("rounding", ["RND", "RND_CONV", "TRN"])
def test_constants_follow_the_formulas(rounding: str, overflow: str) -> None:
    """Against the formulas in rational numbers, on multiples of an eighth of each number's step."""
    generator = np.random.default_rng(0)
    k, i, f = generator.integers(0, 2, 400), generator.integers(-3, 4, 400), generator.integers(-2, 6, 400)
    nothing, i = k + i + f <= 0, np.maximum(i, -f)
    bits = FixedPoint(k, i, f, nothing, Settings("kif", rounding, overflow, False))
    x = generator.integers(-100, 100, 400) / np.exp2(f + 3)
    expected = [number(*each, rounding, overflow) for each in zip(x, k, i, f, nothing, strict=True)]
    np.testing.assert_array_equal(bits.of_constant(x), np.array([float(each) for each in expected]))


def test_kernels_that_wrap_are_only_rounded() -> None:
    """As HGQ2 computes a kernel of round_mode RND, whose integer bits follow its weights; other constants wrap."""
    bits = [np.array([each]) for each in (1, 0, 2)]
    for is_weight, expected in ((True, 1.75), (False, -0.25)):
        settings = Settings("kbi", "RND", "WRAP", is_weight)
        assert FixedPoint(*bits, np.array([False]), settings).of_constant(np.array([1.7])) == expected


def number(x: float, k: int, i: int, f: int, nothing: bool, rounding: str, overflow: str) -> Fraction:
    if nothing:
        return Fraction(0)
    scaled = Fraction(x) * Fraction(2) ** int(f)
    n = {"RND": (scaled + Fraction(1, 2)).__floor__(), "RND_CONV": round(scaled), "TRN": scaled.__floor__()}[rounding]
    span = 2 ** int(i + f)
    if overflow == "WRAP":
        low = -span * int(k)
        n = low + (n - low) % (span * (1 + int(k)))
    else:
        least = -span * int(k) + (int(k) if overflow == "SAT_SYM" else 0)
        n = min(max(n, least), span - 1)
    return n / Fraction(2) ** int(f)


@pytest.mark.parametrize("rounding", ["RND", "RND_CONV", "TRN"])
def test_a_staircase_reaches_its_levels_where_the_formula_does(rounding: str) -> None:
    low, high = np.array([-4, 0, 0]), np.array([3, 6, 0])
    steps = ChannelSteps(low, high, rounding, False, "layer")
    least, most = steps.levels_met([Fraction(-9), Fraction(9)] * 3)
    assert (least, most) == (-4, 6)
    for channel in range(3):
        reaches = steps.reaches(channel, least, most)
        for x in (Fraction(n, 8) for n in range(-80, 80)):
            level = steps.base(least) + sum(x >= point if at else x > point for point, at in reaches)
            rounded = {"RND": (x + Fraction(1, 2)).__floor__(), "RND_CONV": round(x), "TRN": x.__floor__()}[rounding]
            assert level == min(max(rounded, low[channel]), high[channel])


@pytest.mark.slow(scaled=True)
def test_a_file_converts_and_is_verified(tmp_path: Path) -> None:
    with np.load(FOLDER / "learnt.npz") as stored:
        x, y = stored["x"], stored["y"]
    bundle = edgeml.convert(
        FOLDER / "learnt.keras", to="quantized", target="host", data={"x": x}, output=tmp_path / "b"
    )
    assert {each.status for each in edgeml.verify(bundle)} <= {"exact", "unavailable"}
    np.testing.assert_array_equal(bundle.run(x, on="native").real, y)
