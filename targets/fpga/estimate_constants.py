"""How many lookup tables synthesis makes of one unit of each kind of logic, by family.

Fitted to yosys 0.70 over random designs by

    python -m benchmarks.fpga_estimates --fit

which prints this table; what a unit of each kind is, `folded_features`, `unrolled_features` and
`spiking_features` say. A value is drawn
to its prior, what a look at the mapping says, as far as the designs do not tell otherwise.
"""

from __future__ import annotations

__all__ = ["FOLDED", "FOLDED_PRIOR", "SPIKING", "SPIKING_PRIOR", "UNROLLED", "UNROLLED_PRIOR"]

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
FOLDED: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.605,
        "tree": 0.276,
        "accumulator": 1.222,
        "constant": 1.186,
        "rom": 1.279,
        "compare": 0.345,
        "fixed": 0.278,
        "memory": 0.717,
        "stream": 1.143,
        "multiplier": 1.1,
        "unit": 12.174,
    },
    "ecp5": {
        "product": 0.776,
        "tree": 1.084,
        "accumulator": 2.301,
        "constant": 1.047,
        "rom": 1.235,
        "compare": 0.738,
        "fixed": 0.493,
        "memory": 1.073,
        "stream": 1.244,
        "multiplier": 1.3,
        "unit": 24.238,
    },
    "ice40": {
        "product": 0.194,
        "tree": 0.804,
        "accumulator": 1.685,
        "constant": 0.974,
        "rom": 1.731,
        "compare": 0.471,
        "fixed": 0.419,
        "memory": 0.749,
        "stream": 1.02,
        "multiplier": 1.722,
        "unit": 19.551,
    },
}

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {"narrow": 1.0, "wide": 1.0, "carry": 1.0, "compare": 1.0, "delay": 1.0, "memory": 0.7, "core": 12.0},
    "ecp5": {"narrow": 1.0, "wide": 3.0, "carry": 1.1, "compare": 1.2, "delay": 0.0, "memory": 1.0, "core": 20.0},
    "ice40": {"narrow": 1.0, "wide": 3.0, "carry": 1.0, "compare": 1.2, "delay": 0.0, "memory": 0.8, "core": 20.0},
}
UNROLLED: dict[str, dict[str, float]] = {
    "xilinx": {
        "narrow": 1.042,
        "wide": 1.0,
        "carry": 0.55,
        "compare": 0.796,
        "delay": 0.859,
        "memory": 0.266,
        "core": 3.928,
    },
    "ecp5": {
        "narrow": 0.66,
        "wide": 3.021,
        "carry": 0.888,
        "compare": 0.776,
        "delay": 0.0,
        "memory": 0.75,
        "core": 13.173,
    },
    "ice40": {
        "narrow": 0.724,
        "wide": 2.584,
        "carry": 0.784,
        "compare": 0.797,
        "delay": 0.0,
        "memory": 0.457,
        "core": 16.509,
    },
}

SPIKING_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "ram": 1.0, "rom": 1.0, "multiplier": 1.0, "add": 1.0, "select": 0.7, "lane": 1.0, "control": 2.0,
    },
    "ecp5": {
        "ram": 1.0, "rom": 1.0, "multiplier": 1.3, "add": 2.0, "select": 1.0, "lane": 1.5, "control": 3.0,
    },
    "ice40": {
        "ram": 1.0, "rom": 1.0, "multiplier": 1.3, "add": 1.2, "select": 0.8, "lane": 1.5, "control": 3.0,
    },
}  # fmt: skip
SPIKING: dict[str, dict[str, float]] = {
    "xilinx": {
        "ram": 0.788,
        "rom": 1.53,
        "multiplier": 1.042,
        "add": 0.636,
        "select": 0.691,
        "lane": 1.027,
        "control": 2.667,
    },
    "ecp5": {
        "ram": 0.986,
        "rom": 1.382,
        "multiplier": 1.3,
        "add": 0.959,
        "select": 0.879,
        "lane": 1.63,
        "control": 4.323,
    },
    "ice40": {
        "ram": 1.0,
        "rom": 1.913,
        "multiplier": 0.796,
        "add": 0.537,
        "select": 0.995,
        "lane": 0.942,
        "control": 4.73,
    },
}
