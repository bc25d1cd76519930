"""The FPGA benchmark counts a module only after its integers equal the golden simulator's."""

from dataclasses import replace

import pytest

from benchmarks.fpga import ours, random_network, sum_expressions
from benchmarks.fpga_exactness import check
from edgeml.errors import EdgemlError
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.tools.programs import icarus

pytestmark = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")

_NETWORK = random_network((16, 8, 4), (-2, 1), 1.0, "small")


@pytest.mark.parametrize("register_every", [0, 1, 3])
def test_the_unrolled_architecture_is_exact_with_any_registers(register_every: int) -> None:
    check(_NETWORK, ours(network_logic(_NETWORK), register_every), 100)


def test_one_wrong_sign_is_refused() -> None:
    rtl = sum_expressions(_NETWORK)
    check(_NETWORK, rtl, 100)
    with pytest.raises(EdgemlError, match="differs from the golden simulator"):
        check(_NETWORK, replace(rtl, text=rtl.text.replace("- ", "+ ", 1)), 100)


def test_results_one_clock_late_are_refused() -> None:
    rtl = ours(network_logic(_NETWORK), 1)
    with pytest.raises(EdgemlError, match=r"differs|undefined"):
        check(_NETWORK, replace(rtl, latency=rtl.latency - 1), 100)
