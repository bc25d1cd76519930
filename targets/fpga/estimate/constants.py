"""How many lookup tables synthesis makes of one unit of each kind of logic, by family.

Fitted to yosys 0.70 over random designs by

    python -m benchmarks.fpga_estimates --fit

which prints this table; what a unit of each kind is, `parts.Parts`, `unrolled_amounts` and `event_driven_parts` say. A
value is drawn to its prior, what a look at the mapping says, as far as the designs do not tell otherwise.
"""

from __future__ import annotations

__all__ = ["ERRORS", "FOLDED", "FOLDED_PRIOR", "SPIKING", "SPIKING_PRIOR", "UNROLLED", "UNROLLED_PRIOR"]

FOLDED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.7, "tree": 1.0, "accumulator": 1.0, "constant": 1.0, "rom": 1.0, "compare": 1.0, "fixed": 0.3,
        "ram": 1.0, "select": 0.7, "stream": 1.0, "multiplier": 1.1, "rescale": 0.5, "float": 0.5,
        "unit": 12.0,
    },
    "ecp5": {
        "product": 1.0, "tree": 1.1, "accumulator": 2.0, "constant": 1.0, "rom": 1.0, "compare": 1.1, "fixed": 0.5,
        "ram": 1.0, "select": 1.0, "stream": 1.0, "multiplier": 1.3, "rescale": 1.0, "float": 1.0,
        "unit": 20.0,
    },
    "ice40": {
        "product": 1.0, "tree": 1.0, "accumulator": 2.0, "constant": 1.0, "rom": 1.2, "compare": 1.1, "fixed": 0.5,
        "ram": 1.0, "select": 0.8, "stream": 1.0, "multiplier": 1.3, "rescale": 1.0, "float": 1.0,
        "unit": 20.0,
    },
}  # fmt: skip
FOLDED: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.505,
        "tree": 0.318,
        "accumulator": 0.892,
        "constant": 0.846,
        "rom": 1.44,
        "compare": 0.569,
        "fixed": 0.272,
        "ram": 0.859,
        "select": 0.735,
        "stream": 1.145,
        "multiplier": 2.189,
        "rescale": 0.186,
        "float": 0.329,
        "unit": 11.768,
    },
    "ecp5": {
        "product": 0.594,
        "tree": 0.774,
        "accumulator": 1.787,
        "constant": 0.927,
        "rom": 1.521,
        "compare": 0.791,
        "fixed": 0.478,
        "ram": 0.957,
        "select": 0.986,
        "stream": 1.027,
        "multiplier": 1.3,
        "rescale": 0.597,
        "float": 0.709,
        "unit": 18.647,
    },
    "ice40": {
        "product": 0.211,
        "tree": 0.888,
        "accumulator": 1.871,
        "constant": 0.96,
        "rom": 2.073,
        "compare": 0.107,
        "fixed": 0.39,
        "ram": 1.0,
        "select": 0.674,
        "stream": 0.894,
        "multiplier": 1.559,
        "rescale": 1.024,
        "float": 1.016,
        "unit": 15.995,
    },
}

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "narrow": 1.0,
        "wide": 1.0,
        "carry": 1.0,
        "compare": 1.0,
        "delay": 1.0,
        "ram": 1.0,
        "select": 0.7,
        "core": 12.0,
    },
    "ecp5": {
        "narrow": 1.0,
        "wide": 3.0,
        "carry": 1.1,
        "compare": 1.2,
        "delay": 0.0,
        "ram": 1.0,
        "select": 1.0,
        "core": 20.0,
    },
    "ice40": {
        "narrow": 1.0,
        "wide": 3.0,
        "carry": 1.0,
        "compare": 1.2,
        "delay": 0.0,
        "ram": 1.0,
        "select": 0.8,
        "core": 20.0,
    },
}
UNROLLED: dict[str, dict[str, float]] = {
    "xilinx": {
        "narrow": 1.042,
        "wide": 1.0,
        "carry": 0.55,
        "compare": 0.796,
        "delay": 0.859,
        "ram": 1.0,
        "select": 0.266,
        "core": 3.928,
    },
    "ecp5": {
        "narrow": 0.66,
        "wide": 3.021,
        "carry": 0.888,
        "compare": 0.776,
        "delay": 0.0,
        "ram": 1.0,
        "select": 0.75,
        "core": 13.173,
    },
    "ice40": {
        "narrow": 0.724,
        "wide": 2.584,
        "carry": 0.784,
        "compare": 0.797,
        "delay": 0.0,
        "ram": 1.0,
        "select": 0.457,
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

ERRORS: dict[str, tuple[float, float, int]] = {
    "quantized": (0.081, 0.158, 24),
    "int8, folded": (0.075, 0.222, 6),
    "spiking, folded": (0.041, 0.112, 24),
    "spiking, unrolled": (0.096, 0.409, 19),
}
"""By form: error of the estimated lookup tables against yosys on the median and at worst, over so many designs to which
no constant was fitted."""
