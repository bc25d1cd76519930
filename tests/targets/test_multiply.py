"""Products on every target: C on the host and on cores, RTL in both architectures, spikes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.errors import InputError
from edgeml.network import Multiply, file, simulate, trace
from edgeml.targets.cpu.native_network import build_native
from tests.targets.joined_networks import inputs, multiplied

SIGNS = ((False, False), (True, False), (True, True))
ALL = [
    multiplied(bits, signed, last) for bits in ((1, 2), (4, 4), (8, 8)) for signed in SIGNS for last in (False, True)
]


def test_c_on_the_host_is_exact_layer_by_layer() -> None:
    q = inputs(2000)
    for each, native in zip(ALL, build_native(ALL), strict=True):
        golden = trace(each, q)
        assert np.array_equal(native.invoke(q), golden[each.nodes[-1].name])
        layers = native.trace(q[:50])
        assert "product" in layers
        assert all(np.array_equal(values, golden[name][:50]) for name, values in layers.items())


@pytest.mark.parametrize("target", ["cortex-m0plus", "rv32imc"])
def test_c_on_a_core_is_exact(target: str, tmp_path: Path) -> None:
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(multiplied((8, 8), (True, False))))
    bundle = edgeml.convert(model, to="quantized", target=target, output=tmp_path / "b")
    ran = {verdict.name: verdict for verdict in edgeml.verify(bundle) if verdict.name.startswith("unicorn")}
    assert {verdict.status for verdict in ran.values()} == {"exact"}


@pytest.mark.parametrize("encoding", ["unary", "sar", "ttfs", "graded", "stbif"])
def test_spikes_are_exact(encoding: str) -> None:
    q = inputs(100)
    for bits, signed in (((1, 2), (False, False)), ((2, 3), (True, False)), ((2, 2), (True, True))):
        for last in (False, True):
            each = multiplied(bits, signed, last)
            spiking = to_spikes(each, encoding)
            assert not spiking.of_kind(Multiply)
            assert np.array_equal(simulate(spiking, q), simulate(each, q))


def test_products_of_many_values_have_no_spikes() -> None:
    with pytest.raises(
        InputError, match=r"layer product: multiplies .* 256 integers and the other 256: there are no exact"
    ):
        to_spikes(multiplied((8, 8), (True, False)), "unary")


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("architecture", ["unrolled", "folded"])
@pytest.mark.parametrize("bits", [(2, 2), (5, 4)])
def test_rtl_is_exact(architecture: str, bits: tuple[int, int], tmp_path: Path) -> None:
    model = tmp_path / "n.edgeml"
    model.write_bytes(file.to_bytes(multiplied(bits, (True, False))))
    bundle = edgeml.convert(
        model, to="quantized", target="xczu7ev", options={"architecture": architecture}, output=tmp_path / "b"
    )
    q = inputs(300)
    assert np.array_equal(bundle.run(q, on="verilator").integers, simulate(bundle.network, q))
