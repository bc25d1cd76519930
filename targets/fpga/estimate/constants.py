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
        "product": 0.8, "tree": 0.4, "accumulator": 0.892, "constant": 0.846, "rom": 1, "compare": 0.569,
        "fixed": 0.272, "ram": 0.859, "select": 0.735, "stream": 1.145, "multiplier": 0.9, "rescale": 0.186,
        "float": 0.329, "partial": 0.7, "unit": 8, "sum": 1, "significand": 0.329, "factors": 0.8,
    },
    "ecp5": {
        "product": 0.9, "tree": 0.774, "accumulator": 1.787, "constant": 0.927, "rom": 1, "compare": 0.791,
        "fixed": 0.478, "ram": 0.957, "select": 0.986, "stream": 1.027, "multiplier": 1, "rescale": 0.597,
        "float": 0.709, "partial": 0, "unit": 16, "sum": 1, "significand": 0.709, "factors": 0.8,
    },
    "ice40": {
        "product": 0.9, "tree": 0.888, "accumulator": 1.871, "constant": 0.96, "rom": 1, "compare": 0.107,
        "fixed": 0.39, "ram": 1, "select": 0.674, "stream": 0.894, "multiplier": 1, "rescale": 1,
        "float": 1, "partial": 0, "unit": 15.995, "sum": 1, "significand": 0, "factors": 0.8,
    },
}  # fmt: skip

FOLDED: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.838, "tree": 0.434, "accumulator": 0.787, "constant": 0.633, "rom": 0.749,
        "compare": 0.772, "fixed": 0.271, "ram": 0.785, "select": 0.727, "stream": 1.127, "multiplier": 0.895,
        "rescale": 0.158, "float": 0.412, "partial": 0.41, "unit": 7.788, "sum": 1.143, "significand": 0.337,
        "factors": 0.82,
    },
    "ecp5": {
        "product": 0.69, "tree": 0.635, "accumulator": 1.758, "constant": 0.925, "rom": 1.15, "compare": 0.791,
        "fixed": 0.486, "ram": 1.002, "select": 0.969, "stream": 1.192, "multiplier": 1, "rescale": 0.618,
        "float": 0.85, "partial": 0, "unit": 16.636, "sum": 1.093, "significand": 0.817, "factors": 0.789,
    },
    "ice40": {
        "product": 0.872, "tree": 0.929, "accumulator": 1.983, "constant": 0.983, "rom": 1.144, "compare": 0.107,
        "fixed": 0.39, "ram": 1, "select": 0.748, "stream": 1.02, "multiplier": 0.945, "rescale": 1.052,
        "float": 0.939, "partial": 0, "unit": 17.228, "sum": 1, "significand": 0, "factors": 0.799,
    },
}  # fmt: skip

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1, "wide_table": 1, "narrow": 1.1, "wide": 1, "carry": 0.95, "pass": 0.3, "chain": 0.4,
        "short": 0, "carry3": 1, "compare": 0.9, "delay": 0.9, "ram": 0.95, "select": 0.4, "core": 5.2,
        "mux": 0.5,
    },
    "ecp5": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 0, "chain": 0.5, "short": 1.2,
        "carry3": 1, "compare": 1, "delay": 0, "ram": 1.1, "select": 0.75, "core": 13.5, "mux": 0.75,
    },
    "ice40": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 1, "chain": 0.3, "short": 0,
        "carry3": 1, "compare": 0.95, "delay": 0, "ram": 1, "select": 0.6, "core": 15, "mux": 0.95,
    },
}  # fmt: skip

UNROLLED: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 0.987, "wide_table": 0.938, "narrow": 1.178, "wide": 1, "carry": 0.923, "pass": 0.299,
        "chain": 0.399, "short": 0, "carry3": 0.849, "compare": 0.946, "delay": 0.907, "ram": 1.112,
        "select": 0.4, "core": 6.877, "mux": 0.5,
    },
    "ecp5": {
        "table": 1.009, "wide_table": 1.129, "narrow": 1.008, "wide": 0.976, "carry": 0.909, "pass": 0,
        "chain": 0.495, "short": 1.388, "carry3": 0.864, "compare": 0.846, "delay": 0, "ram": 1.146,
        "select": 0.75, "core": 13.768, "mux": 0.75,
    },
    "ice40": {
        "table": 0.684, "wide_table": 0.929, "narrow": 0.96, "wide": 1.166, "carry": 0.955, "pass": 0.904,
        "chain": 0.297, "short": 0, "carry3": 0.576, "compare": 0.961, "delay": 0, "ram": 1, "select": 0.651,
        "core": 12.657, "mux": 0.903,
    },
}  # fmt: skip

STEP_PER_CLOCK_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.096, "wide_table": 0.999, "narrow": 1.186, "wide": 1, "carry": 0.942, "pass": 0.299,
        "chain": 0.398, "short": 0, "carry3": 0.899, "compare": 0.892, "delay": 0.773, "ram": 0.991,
        "select": 0.4, "core": 5.563, "sum_once": 0.25, "sum": 0.9, "doubled": 1.7, "started": 0,
        "flowing": 1.7, "reached_once": 0.15, "reached": 0.7, "read": 0.7, "steps": 0.8, "levels": 0.3,
        "spikes": 0.7, "mux": 0.5,
    },
    "ecp5": {
        "table": 0.964, "wide_table": 1.146, "narrow": 1.01, "wide": 0.982, "carry": 0.833, "pass": 0,
        "chain": 0.493, "short": 1.388, "carry3": 0.851, "compare": 0.858, "delay": 0, "ram": 1.205,
        "select": 0.75, "core": 14.892, "sum_once": 0.6, "sum": 1, "doubled": 1.05, "started": 1.4,
        "flowing": 2.6, "reached_once": 0.5, "reached": 0.9, "read": 1, "steps": 1, "levels": 0.5,
        "spikes": 0.8, "mux": 0.75,
    },
    "ice40": {
        "table": 0.906, "wide_table": 0.992, "narrow": 0.954, "wide": 1.146, "carry": 0.982, "pass": 0.87,
        "chain": 0.299, "short": 0, "carry3": 0.841, "compare": 0.815, "delay": 0, "ram": 1, "select": 0.6,
        "core": 14.384, "sum_once": 0.8, "sum": 1, "doubled": 1.5, "started": 1.3, "flowing": 3.4,
        "reached_once": 0.3, "reached": 0.8, "read": 0.9, "steps": 1, "levels": 0.5, "spikes": 0.8,
        "mux": 0.95,
    },
}  # fmt: skip

STEP_PER_CLOCK: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.086, "wide_table": 0.999, "narrow": 0.772, "wide": 1, "carry": 0.978, "pass": 0.311,
        "chain": 0.4, "short": 0, "carry3": 0.734, "compare": 0.987, "delay": 0.873, "ram": 0.815,
        "select": 0.4, "core": 4.916, "sum_once": 0.247, "sum": 0.85, "doubled": 1.59, "started": 0,
        "flowing": 1.59, "reached_once": 0.149, "reached": 0.749, "read": 0.597, "steps": 0.833,
        "levels": 0.299, "spikes": 0.607, "mux": 0.487,
    },
    "ecp5": {
        "table": 0.931, "wide_table": 1.055, "narrow": 0.919, "wide": 1.103, "carry": 0.933, "pass": 0,
        "chain": 0.498, "short": 1.274, "carry3": 0.86, "compare": 0.873, "delay": 0, "ram": 1.249,
        "select": 0.75, "core": 14.408, "sum_once": 0.571, "sum": 0.884, "doubled": 1.276, "started": 1.4,
        "flowing": 2.283, "reached_once": 0.467, "reached": 0.978, "read": 1.035, "steps": 1, "levels": 0.508,
        "spikes": 0.84, "mux": 0.75,
    },
    "ice40": {
        "table": 0.952, "wide_table": 0.996, "narrow": 1.045, "wide": 0.801, "carry": 0.961, "pass": 0.864,
        "chain": 0.295, "short": 0, "carry3": 0.841, "compare": 0.815, "delay": 0, "ram": 1, "select": 0.6,
        "core": 13.991, "sum_once": 0.646, "sum": 1.175, "doubled": 1.135, "started": 1.3, "flowing": 3.02,
        "reached_once": 0.299, "reached": 0.617, "read": 0.898, "steps": 1.091, "levels": 0.48,
        "spikes": 0.644, "mux": 0.87,
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
        "ram": 0.788, "rom": 1, "multiplier": 1.042, "add": 0.636, "select": 0.691, "lane": 1.027,
        "control": 2.667,
    },
    "ecp5": {
        "ram": 0.986, "rom": 1, "multiplier": 1.3, "add": 0.959, "select": 0.879, "lane": 1.63,
        "control": 4.323,
    },
    "ice40": {
        "ram": 1, "rom": 1, "multiplier": 0.796, "add": 0.537, "select": 0.995, "lane": 0.942, "control": 4.73,
    },
}  # fmt: skip

SPIKING: dict[str, dict[str, float]] = {
    "xilinx": {
        "ram": 0.622, "rom": 0.698, "multiplier": 1.056, "add": 0.547, "select": 0.689, "lane": 1.001,
        "control": 2.433,
    },
    "ecp5": {
        "ram": 0.928, "rom": 0.87, "multiplier": 1.3, "add": 0.938, "select": 0.902, "lane": 1.639,
        "control": 3.773,
    },
    "ice40": {
        "ram": 1, "rom": 1.068, "multiplier": 0.778, "add": 0.51, "select": 0.938, "lane": 0.938,
        "control": 4.871,
    },
}  # fmt: skip


class Accuracy(NamedTuple):
    """How far estimates of a form of designs are from what yosys counts.

    Parameters
    ----------
    median, worst : error of the lookup tables over so many `designs`, which no constant is fitted to.
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
        0.027, 0.191, 14, {"xilinx": (0.8, 1.25), "ecp5": (0.8, 1.4), "ice40": (0.75, 1.4)}, (0.9, 1.1)
    ),
    "quantized, folded": Accuracy(
        0.048, 0.274, 14, {"xilinx": (0.75, 1.45), "ecp5": (0.75, 1.25), "ice40": (0.8, 1.25)}, (0.75, 1.15)
    ),
    "int8, unrolled": Accuracy(
        0.042, 0.118, 13, {"xilinx": (0.75, 1.3), "ecp5": (0.8, 1.25), "ice40": (0.8, 1.25)}, (0.8, 1.2)
    ),
    "int8, folded": Accuracy(
        0.037, 0.107, 14, {"xilinx": (0.7, 1.4), "ecp5": (0.8, 1.5), "ice40": (0.8, 1.45)}, (0.7, 1.25)
    ),
    "spiking, unrolled": Accuracy(
        0.096, 0.244, 14, {"xilinx": (0.65, 1.25), "ecp5": (0.7, 1.3), "ice40": (0.7, 1.3)}, (0.85, 1.18)
    ),
    "spiking, folded": Accuracy(
        0.057, 0.185, 14, {"xilinx": (0.75, 1.3), "ecp5": (0.8, 1.25), "ice40": (0.8, 1.25)}, (0.85, 1.16)
    ),
}
"""By form of designs."""
