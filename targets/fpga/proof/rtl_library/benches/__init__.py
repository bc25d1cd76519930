"""What holds of each module of the RTL library, as Verilog that yosys proves: `NAME.v` is about `edgeml_NAME`.

`assume` says what the other side must keep; what is asserted under "Contract" is what a user of the module relies on,
from a first clock with a reset on, whatever comes, further resets included. What is asserted under "Why" ties the
module's registers (`seen_x` is `unit.x`) to those that the contract is said in, so that one clock leads to the next:
without it the induction would start from states that never are.
"""

from __future__ import annotations

import re
from importlib import resources

__all__ = ["bench_text", "benches"]


def benches() -> list[str]:
    """Names of the modules that have a bench, without `edgeml_`."""
    files = resources.files(__package__).iterdir()
    return sorted(file.name.removesuffix(".v") for file in files if file.name.endswith(".v"))


def bench_text(name: str) -> str:
    """The bench of `edgeml_NAME`, whose module is `prove_NAME`, with what stands for parts of it (`parts/NAME.v`)."""
    text = (resources.files(__package__) / f"{name}.v").read_text("utf-8")
    parts = resources.files(__package__) / "parts" / f"{name}.v"
    if parts.is_file():
        text += parts.read_text("utf-8")
    if not re.search(rf"^module prove_{name} ", text, re.MULTILINE):
        raise ValueError(f"{name}.v holds no module prove_{name}")
    return text
