"""All files that follow from a network, a design and a part: written by the target, held against a bundle's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.licensing import LICENSE_FILE, license_text, licensed
from edgeml.network import Network, simulate

from .budget import Budget, budget_of
from .design import Built, compare_files, verify_files
from .testbench import expected_image, input_image, testbench
from .tops.ip import ip_files
from .tops.litex_module import litex_files
from .tops.packets import packet_files
from .tops.uart import uart_files

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["generated_files", "verify_bundle"]

_BENCH_FRAMES = 32


def generated_files(network: Network, built: Built, budget: Budget) -> dict[str, bytes]:
    """Files by their path in a bundle: the design and its test bench in `rtl/`, top levels in `tops/`."""
    budget = built.at_its_clock(budget)
    q, y = _bench_vectors(network)
    files = {
        **{f"rtl/{name}": content for name, content in built.files.items()},
        f"rtl/{built.top[:-5]}_tb.v": testbench(built, len(q)).encode(),
        "rtl/inputs.mem": input_image(built.interface, q).encode(),
        "rtl/expected.mem": expected_image(built.interface, y).encode(),
        **uart_files(network, built, budget),
        **packet_files(network, built),
        **ip_files(network, built, budget),
        **litex_files(network, built),
        f"rtl/{LICENSE_FILE}": license_text().encode(),
    }
    return licensed(files)


def verify_bundle(bundle: Bundle) -> Built:
    """Make all of a bundle's RTL, test bench and top levels again and compare them with what lies there.

    Raises InputError naming the file that differs or is missing. Nothing of the bundle is run or read as code.
    """
    built = verify_files(bundle.network, bundle.folder / "rtl")
    others = generated_files(bundle.network, built, budget_of(bundle.profile)).items()
    compare_files(
        bundle.folder,
        {name: content for name, content in others if name.removeprefix("rtl/") not in built.files},
    )
    return built


def _bench_vectors(network: Network) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Inputs for the test bench, over the whole range of the input and the same in every run, and their results."""
    rng = np.random.default_rng(0)
    shape = (_BENCH_FRAMES, network.input_size)
    q = rng.integers(network.quantizer.low, network.quantizer.high + 1, shape).astype(np.int32)
    return q, simulate(network, q)
