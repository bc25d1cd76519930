"""The executor `hil`: a device that runs the bundle's firmware or bitstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingTool
from ..plugins import Execution, Subject

if TYPE_CHECKING:
    from ..bundle import Bundle

__all__ = ["HilExecutor"]


class HilExecutor:
    """`bundle.run(x, on="hil", port="/dev/ttyACM0")`, or `emulate="qemu-mps2-an386"`.

    It takes part in a verification only where it is asked for with a port, so that `applies` is left to the caller.
    """

    needs_device = True

    def applies(self, bundle: Bundle) -> bool:
        """Bundles for hardware that can stand behind a port."""
        return bundle.profile.kind in ("mcu", "fpga")

    def subject(self, bundle: Bundle) -> Subject:
        """The device itself."""
        return Subject("what the device at the port runs", True)

    def missing(self, bundle: Bundle) -> str:
        """A port is asked for when it is run."""
        return ""

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs] on the device named by the options `port` or `emulate`."""
        if not options.get("port") and not options.get("emulate"):
            raise MissingTool("hil", "needs a device", "Pass port=… (or run `edgeml hil --port …`)")
        from ..hil.session import outputs

        found, name = outputs(bundle, bundle.network.check_input(q), options)
        return Execution(found, {}, name)
