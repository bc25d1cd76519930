"""The executor `icarus`: the bundle's RTL and its self-checking test bench in Icarus Verilog."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, MissingTool
from edgeml.network import simulate
from edgeml.plugins import Execution, Subject
from edgeml.system.scratch import ScratchFolder

from ..argmax import check_classes
from ..design import Built
from ..files import verify_bundle
from ..testbench import expected_image, input_image, testbench
from ..tools.programs import icarus, run

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["IcarusExecutor", "run_icarus"]

_SECONDS = 3600.0
_MISSING = "install Icarus Verilog (package iverilog of your system)"


def run_icarus(
    built: Built,
    folder: Path,
    q: npt.NDArray[np.int32],
    expected: npt.NDArray[np.int32],
    *,
    pause: int = 0,
    trace: int = 0,
) -> tuple[npt.NDArray[np.int32], str]:
    """Run q through a design in `folder`; outputs [samples, outputs], and the test bench's verdict line.

    Raises MissingTool without Icarus, CheckFailed where a result holds an undefined bit.
    """
    programs = icarus()
    if programs is None:
        raise MissingTool("icarus", "is not installed", _MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    bench = f"{built.top[:-5]}_tb"
    (folder / f"{bench}.v").write_text(testbench(built, len(q)), encoding="utf-8")
    (folder / "inputs.mem").write_text(input_image(built.interface, q), encoding="utf-8")
    (folder / "expected.mem").write_text(expected_image(built.interface, expected), encoding="utf-8")
    compile_command = [
        programs[0], "-g2005", "-Wall", "-Wno-timescale", "-o", "bench.vvp", "-s", bench,
        f"-P{bench}.PAUSE={pause}", f"-P{bench}.TRACE={trace}", *built.sources, f"{bench}.v",
    ]  # fmt: skip
    run(compile_command, folder, _SECONDS, "iverilog")
    text = run([programs[1], "-n", "bench.vvp"], folder, _SECONDS, "vvp")
    words = (folder / "results.mem").read_text(encoding="utf-8").split()
    if undefined := [word for word in words if set(word) & set("xzXZ")]:
        raise CheckFailed("icarus", f"a result holds an undefined bit: {undefined[0]}")
    interface = built.interface
    size = interface.output_bytes + (interface.class_bytes if interface.classes else 0)
    values = [int(word, 16).to_bytes(size, "little") for word in words]
    verdict = next(
        (line for line in reversed(text.splitlines()) if line.startswith(("PASS", "FAIL"))), "FAIL without a verdict"
    )
    if len(words) != len(q) * interface.output_beats:
        raise CheckFailed("icarus", f"gave {len(words)} values: {verdict}")
    outputs = interface.unpack(
        np.frombuffer(b"".join(value[: interface.output_bytes] for value in values), np.uint8).reshape(len(words), -1)
    )
    if interface.classes:
        ends = values[interface.output_beats - 1 :: interface.output_beats]
        given = [int.from_bytes(value[interface.output_bytes :], "little") for value in ends]
        check_classes(interface, outputs, np.array(given))
    return outputs, verdict


class IcarusExecutor:
    """Runs `rtl/` of a bundle in Icarus Verilog, with its test bench. Option: pause (1/256)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL."""
        return "rtl/design.json" in bundle.manifest.get("files", {})

    def subject(self, bundle: Bundle) -> Subject:
        """What was made for the part, simulated."""
        return Subject("the RTL and its test bench in Icarus Verilog", True)

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        return "" if icarus() is not None else _MISSING

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Simulate in a temporary folder."""
        built = verify_bundle(bundle)
        if not len(q):
            return Execution(np.zeros((0, bundle.network.output_size), np.int32))
        with ScratchFolder("icarus") as scratch:
            pause = min(max(int(options.get("pause") or 0), 0), 255)
            outputs, verdict = run_icarus(built, scratch, q, simulate(bundle.network, q), pause=pause)
        return Execution(outputs, {}, f"Icarus Verilog, test bench says {verdict}")
