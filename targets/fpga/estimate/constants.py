"""How many lookup tables synthesis makes of one unit of each kind of logic, by family.

Fitted to yosys 0.70 over random designs by

    python -m benchmarks.fpga_estimates --fit

which prints these tables; what a unit of each kind is, `parts.Parts`, `unrolled_amounts`, `step_per_clock_parts` and
`event_driven_parts` say. A value is drawn to its prior, what a look at the mapping or other designs say, as far as
the designs do not tell otherwise. `CELLS` is what netlists are chosen by: that stays when estimates are fitted anew.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CELLS", "ERRORS", "FOLDED", "FOLDED_PRIOR", "SPIKING", "SPIKING_PRIOR", "STEP_PER_CLOCK", "STEP_PER_CLOCK_PRIOR",
    "UNROLLED", "UNROLLED_PRIOR", "Accuracy",
]  # fmt: skip

FOLDED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.505, "tree": 0.318, "accumulator": 0.892, "constant": 0.846, "rom": 1.44, "compare": 0.569,
        "fixed": 0.272, "ram": 0.859, "select": 0.735, "stream": 1.145, "multiplier": 1.1, "rescale": 0.186,
        "float": 0.329, "partial": 0.7, "unit": 11.768,
    },
    "ecp5": {
        "product": 0.594, "tree": 0.774, "accumulator": 1.787, "constant": 0.927, "rom": 1.521,
        "compare": 0.791, "fixed": 0.478, "ram": 0.957, "select": 0.986, "stream": 1.027, "multiplier": 1.3,
        "rescale": 0.597, "float": 0.709, "partial": 0, "unit": 18.647,
    },
    "ice40": {
        "product": 0.211, "tree": 0.888, "accumulator": 1.871, "constant": 0.96, "rom": 2.073, "compare": 0.107,
        "fixed": 0.39, "ram": 1, "select": 0.674, "stream": 0.894, "multiplier": 1.559, "rescale": 1.024,
        "float": 1.016, "partial": 0, "unit": 15.995,
    },
}  # fmt: skip

FOLDED: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.529, "tree": 0.34, "accumulator": 0.805, "constant": 0.761, "rom": 1.595, "compare": 0.77,
        "fixed": 0.26, "ram": 0.914, "select": 0.723, "stream": 1.131, "multiplier": 0.73, "rescale": 0.147,
        "float": 0.285, "partial": 0.38, "unit": 10.912,
    },
    "ecp5": {
        "product": 0.42, "tree": 0.77, "accumulator": 1.856, "constant": 0.933, "rom": 1.173, "compare": 0.791,
        "fixed": 0.5, "ram": 1.05, "select": 0.984, "stream": 1.336, "multiplier": 1.3, "rescale": 0.539,
        "float": 0.734, "partial": 0, "unit": 20.614,
    },
    "ice40": {
        "product": 0.204, "tree": 0.844, "accumulator": 1.763, "constant": 0.939, "rom": 2.436,
        "compare": 0.107, "fixed": 0.39, "ram": 1, "select": 0.659, "stream": 0.986, "multiplier": 1.225,
        "rescale": 1.019, "float": 1.05, "partial": 0, "unit": 16.891,
    },
}  # fmt: skip

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1, "wide_table": 1, "narrow": 1.1, "wide": 1, "carry": 0.95, "pass": 0.3, "chain": 0.4,
        "short": 0, "carry3": 1, "compare": 0.9, "delay": 0.9, "ram": 0.95, "select": 0.4, "core": 5.2,
    },
    "ecp5": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 0, "chain": 0.5, "short": 1.2,
        "carry3": 1, "compare": 1, "delay": 0, "ram": 1.1, "select": 0.75, "core": 13.5,
    },
    "ice40": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 1, "chain": 0.3, "short": 0,
        "carry3": 1, "compare": 0.95, "delay": 0, "ram": 1, "select": 0.47, "core": 15,
    },
}  # fmt: skip

UNROLLED: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.096, "wide_table": 0.999, "narrow": 1.186, "wide": 1, "carry": 0.942, "pass": 0.299,
        "chain": 0.398, "short": 0, "carry3": 0.899, "compare": 0.892, "delay": 0.773, "ram": 0.991,
        "select": 0.4, "core": 5.563,
    },
    "ecp5": {
        "table": 0.964, "wide_table": 1.146, "narrow": 1.01, "wide": 0.982, "carry": 0.833, "pass": 0,
        "chain": 0.493, "short": 1.388, "carry3": 0.851, "compare": 0.858, "delay": 0, "ram": 1.205,
        "select": 0.75, "core": 14.892,
    },
    "ice40": {
        "table": 0.906, "wide_table": 0.992, "narrow": 0.954, "wide": 1.146, "carry": 0.982, "pass": 0.87,
        "chain": 0.299, "short": 0, "carry3": 0.841, "compare": 0.815, "delay": 0, "ram": 1, "select": 0.546,
        "core": 14.384,
    },
}  # fmt: skip

STEP_PER_CLOCK_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.096, "wide_table": 0.999, "narrow": 1.186, "wide": 1, "carry": 0.942, "pass": 0.299,
        "chain": 0.398, "short": 0, "carry3": 0.899, "compare": 0.892, "delay": 0.773, "ram": 0.991,
        "select": 0.4, "core": 5.563, "sum_once": 0.25, "sum": 0.9, "sum_two": 1.7, "reached_once": 0.15,
        "reached": 0.7, "read": 0.7, "steps": 0.8, "levels": 0.3, "spikes": 0.7,
    },
    "ecp5": {
        "table": 0.964, "wide_table": 1.146, "narrow": 1.01, "wide": 0.982, "carry": 0.833, "pass": 0,
        "chain": 0.493, "short": 1.388, "carry3": 0.851, "compare": 0.858, "delay": 0, "ram": 1.205,
        "select": 0.75, "core": 14.892, "sum_once": 0.6, "sum": 1, "sum_two": 2.5, "reached_once": 0.5,
        "reached": 0.9, "read": 1, "steps": 1, "levels": 0.5, "spikes": 0.8,
    },
    "ice40": {
        "table": 0.906, "wide_table": 0.992, "narrow": 0.954, "wide": 1.146, "carry": 0.982, "pass": 0.87,
        "chain": 0.299, "short": 0, "carry3": 0.841, "compare": 0.815, "delay": 0, "ram": 1, "select": 0.546,
        "core": 14.384, "sum_once": 0.8, "sum": 1, "sum_two": 2, "reached_once": 0.3, "reached": 0.8,
        "read": 0.9, "steps": 1, "levels": 0.5, "spikes": 0.8,
    },
}  # fmt: skip

STEP_PER_CLOCK: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.054, "wide_table": 0.996, "narrow": 0.808, "wide": 1, "carry": 0.991, "pass": 0.309,
        "chain": 0.401, "short": 0, "carry3": 0.715, "compare": 1.008, "delay": 0.874, "ram": 0.848,
        "select": 0.391, "core": 4.907, "sum_once": 0.253, "sum": 0.824, "sum_two": 1.536,
        "reached_once": 0.152, "reached": 0.833, "read": 0.471, "steps": 0.879, "levels": 0.3, "spikes": 0.556,
    },
    "ecp5": {
        "table": 0.91, "wide_table": 0.989, "narrow": 0.706, "wide": 1.051, "carry": 0.97, "pass": 0,
        "chain": 0.499, "short": 1.087, "carry3": 0.835, "compare": 0.863, "delay": 0, "ram": 1.198,
        "select": 0.748, "core": 13.477, "sum_once": 0.45, "sum": 0.949, "sum_two": 1.361,
        "reached_once": 0.361, "reached": 0.815, "read": 1.112, "steps": 1, "levels": 0.496, "spikes": 0.764,
    },
    "ice40": {
        "table": 0.899, "wide_table": 0.976, "narrow": 1.184, "wide": 0.888, "carry": 0.969, "pass": 0.869,
        "chain": 0.297, "short": 0, "carry3": 0.869, "compare": 0.779, "delay": 0, "ram": 1, "select": 0.586,
        "core": 13.567, "sum_once": 0.643, "sum": 1.327, "sum_two": 0.943, "reached_once": 0.315,
        "reached": 0.45, "read": 1.023, "steps": 1.148, "levels": 0.44, "spikes": 0.579,
    },
}  # fmt: skip

CELLS: dict[str, dict[str, float]] = {
    "xilinx": {
        "narrow": 1.042, "wide": 1, "carry": 0.55, "compare": 0.796, "delay": 0.859, "ram": 1, "select": 0.266,
        "core": 3.928,
    },
    "ecp5": {
        "narrow": 0.66, "wide": 3.021, "carry": 0.888, "compare": 0.776, "delay": 0, "ram": 1, "select": 0.75,
        "core": 13.173,
    },
    "ice40": {
        "narrow": 0.724, "wide": 2.584, "carry": 0.784, "compare": 0.797, "delay": 0, "ram": 1, "select": 0.457,
        "core": 16.509,
    },
}  # fmt: skip

SPIKING_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "ram": 0.788, "rom": 1.53, "multiplier": 1.042, "add": 0.636, "select": 0.691, "lane": 1.027,
        "control": 2.667,
    },
    "ecp5": {
        "ram": 0.986, "rom": 1.382, "multiplier": 1.3, "add": 0.959, "select": 0.879, "lane": 1.63,
        "control": 4.323,
    },
    "ice40": {
        "ram": 1, "rom": 1.913, "multiplier": 0.796, "add": 0.537, "select": 0.995, "lane": 0.942,
        "control": 4.73,
    },
}  # fmt: skip

SPIKING: dict[str, dict[str, float]] = {
    "xilinx": {
        "ram": 0.688, "rom": 1.346, "multiplier": 1.112, "add": 0.583, "select": 0.581, "lane": 0.976,
        "control": 2.872,
    },
    "ecp5": {
        "ram": 0.929, "rom": 1.201, "multiplier": 1.3, "add": 0.922, "select": 0.884, "lane": 1.629,
        "control": 3.722,
    },
    "ice40": {
        "ram": 1, "rom": 2.17, "multiplier": 0.773, "add": 0.502, "select": 0.915, "lane": 0.933,
        "control": 4.984,
    },
}  # fmt: skip


class Accuracy(NamedTuple):
    """How far estimates of a form of designs are from what yosys counts.

    Parameters
    ----------
    median, worst : error of the lookup tables over so many `designs`, each by constants that are fitted to others.
    luts : by the constants of a family, the least and the most of what yosys counts over what is estimated.
    flip_flops : the same of any family. Both are wider than what all designs showed.
    """

    median: float
    worst: float
    designs: int
    luts: dict[str, tuple[float, float]]
    flip_flops: tuple[float, float]


ERRORS: dict[str, Accuracy] = {
    "quantized, unrolled": Accuracy(
        0.062, 0.511, 20, {"xilinx": (0.65, 1.26), "ecp5": (0.87, 1.25), "ice40": (0.6, 1.54)}, (0.84, 1.15)
    ),
    "quantized, folded": Accuracy(
        0.074, 0.444, 20, {"xilinx": (0.69, 1.58), "ecp5": (0.63, 1.35), "ice40": (0.84, 1.3)}, (0.83, 1.36)
    ),
    "int8, unrolled": Accuracy(
        0.032, 0.177, 17, {"xilinx": (0.77, 1.35), "ecp5": (0.84, 1.25), "ice40": (0.8, 1.25)}, (0.9, 1.19)
    ),
    "int8, folded": Accuracy(
        0.071, 0.461, 20, {"xilinx": (0.62, 1.58), "ecp5": (0.82, 1.32), "ice40": (0.85, 1.25)}, (0.77, 1.46)
    ),
    "spiking, unrolled": Accuracy(
        0.1, 0.29, 21, {"xilinx": (0.71, 1.33), "ecp5": (0.76, 1.4), "ice40": (0.7, 1.28)}, (0.8, 1.17)
    ),
    "spiking, folded": Accuracy(
        0.046, 0.193, 20, {"xilinx": (0.76, 1.41), "ecp5": (0.85, 1.25), "ice40": (0.83, 1.26)}, (0.87, 1.16)
    ),
}
"""By form of designs."""
