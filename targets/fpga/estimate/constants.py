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
        "fixed": 0.272, "select": 0.735, "stream": 1.145, "multiplier": 0.9, "rescale": 0.186,
        "float": 1, "partial": 1, "unit": 8, "sum": 1, "significand": 0, "factors": 0.8,
    },
    "ecp5": {
        "product": 0.9, "tree": 0.774, "accumulator": 1.787, "constant": 0.927, "rom": 1, "compare": 0.791,
        "fixed": 0.478, "select": 0.986, "stream": 1.027, "multiplier": 1, "rescale": 0.597,
        "float": 0.709, "partial": 0, "unit": 16, "sum": 1, "significand": 0.709, "factors": 0.8,
    },
    "ice40": {
        "product": 0.9, "tree": 0.888, "accumulator": 1.871, "constant": 0.96, "rom": 1, "compare": 0.107,
        "fixed": 0.39, "select": 0.674, "stream": 0.894, "multiplier": 1, "rescale": 1,
        "float": 1, "partial": 0, "unit": 15.995, "sum": 1, "significand": 0, "factors": 0.8,
    },
}  # fmt: skip

FOLDED: dict[str, dict[str, float]] = {
    "xilinx": {
        "product": 0.838, "tree": 0.434, "accumulator": 0.787, "constant": 0.633, "rom": 0.749,
        "compare": 0.772, "fixed": 0.271, "select": 0.727, "stream": 1.127, "multiplier": 0.895,
        "rescale": 0.158, "float": 1, "partial": 1, "unit": 7.788, "sum": 1.143, "significand": 0,
        "factors": 0.82,
    },
    "ecp5": {
        "product": 0.69, "tree": 0.635, "accumulator": 1.758, "constant": 0.925, "rom": 1.15, "compare": 0.791,
        "fixed": 0.486, "select": 0.969, "stream": 1.192, "multiplier": 1, "rescale": 0.618,
        "float": 0.85, "partial": 0, "unit": 16.636, "sum": 1.093, "significand": 0.817, "factors": 0.789,
    },
    "ice40": {
        "product": 0.872, "tree": 0.929, "accumulator": 1.983, "constant": 0.983, "rom": 1.144, "compare": 0.107,
        "fixed": 0.39, "select": 0.748, "stream": 1.02, "multiplier": 0.945, "rescale": 1.052,
        "float": 0.939, "partial": 0, "unit": 17.228, "sum": 1, "significand": 0, "factors": 0.799,
    },
}  # fmt: skip

UNROLLED_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1, "wide_table": 1, "narrow": 1.1, "wide": 1, "carry": 0.95, "pass": 0.3, "chain": 0.4,
        "short": 0, "carry3": 1, "compare": 0.9, "delay": 0.9, "select": 0.4, "core": 5.2,
        "mux": 0.5,
    },
    "ecp5": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 0, "chain": 0.5, "short": 1.2,
        "carry3": 1, "compare": 1, "delay": 0, "select": 0.75, "core": 13.5, "mux": 0.75,
    },
    "ice40": {
        "table": 1, "wide_table": 1, "narrow": 1, "wide": 1, "carry": 1, "pass": 1, "chain": 0.3, "short": 0,
        "carry3": 1, "compare": 0.95, "delay": 0, "select": 0.6, "core": 15, "mux": 0.95,
    },
}  # fmt: skip

UNROLLED: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 0.987, "wide_table": 0.938, "narrow": 1.178, "wide": 1, "carry": 0.923, "pass": 0.299,
        "chain": 0.399, "short": 0, "carry3": 0.849, "compare": 0.946, "delay": 0.907,
        "select": 0.4, "core": 6.877, "mux": 0.5,
    },
    "ecp5": {
        "table": 1.009, "wide_table": 1.129, "narrow": 1.008, "wide": 0.976, "carry": 0.909, "pass": 0,
        "chain": 0.495, "short": 1.388, "carry3": 0.864, "compare": 0.846, "delay": 0,
        "select": 0.75, "core": 13.768, "mux": 0.75,
    },
    "ice40": {
        "table": 0.684, "wide_table": 0.929, "narrow": 0.96, "wide": 1.166, "carry": 0.955, "pass": 0.904,
        "chain": 0.297, "short": 0, "carry3": 0.576, "compare": 0.961, "delay": 0, "select": 0.651,
        "core": 12.657, "mux": 0.903,
    },
}  # fmt: skip

STEP_PER_CLOCK_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 1.096, "wide_table": 0.999, "narrow": 1.186, "wide": 1, "carry": 0.942, "pass": 0.299,
        "chain": 0.398, "short": 0, "carry3": 0.899, "compare": 0.892, "delay": 0.773,
        "select": 0.4, "core": 10, "sum_once": 0.25, "sum": 0.9, "doubled": 1, "started": 1,
        "flowing": 1.7, "reached_once": 0.15, "reached": 0.9, "read": 0.05, "steps": 0.8, "chosen": 0.9, "levels": 0.3,
        "spikes": 0.7, "mux": 0.5,
    },
    "ecp5": {
        "table": 0.964, "wide_table": 1.146, "narrow": 1.01, "wide": 0.982, "carry": 0.833, "pass": 0,
        "chain": 0.493, "short": 1.388, "carry3": 0.851, "compare": 0.858, "delay": 0,
        "select": 0.75, "core": 14.892, "sum_once": 0.6, "sum": 1, "doubled": 1, "started": 1.4,
        "flowing": 2.6, "reached_once": 0.5, "reached": 0.9, "read": 1, "steps": 1, "chosen": 0.8, "levels": 0.5,
        "spikes": 0.8, "mux": 0.75,
    },
    "ice40": {
        "table": 0.906, "wide_table": 0.992, "narrow": 0.954, "wide": 1.146, "carry": 0.982, "pass": 0.87,
        "chain": 0.299, "short": 0, "carry3": 0.841, "compare": 0.815, "delay": 0, "select": 0.6,
        "core": 14.384, "sum_once": 0.8, "sum": 1, "doubled": 1, "started": 1.3, "flowing": 3.4,
        "reached_once": 0.2, "reached": 0.5, "read": 0.95, "steps": 1, "chosen": 0.9, "levels": 0.5, "spikes": 0.8,
        "mux": 0.95,
    },
}  # fmt: skip

STEP_PER_CLOCK: dict[str, dict[str, float]] = {
    "xilinx": {
        "table": 0.881, "wide_table": 0.999, "narrow": 1.315, "wide": 1, "carry": 0.867, "pass": 0.289,
        "chain": 0.387, "short": 0, "carry3": 0.739, "compare": 0.892, "delay": 0.927, "select": 0.4, "core": 6.614,
        "sum_once": 0.277, "sum": 0.718, "doubled": 0.973, "started": 1, "flowing": 2.498, "reached_once": 0.156,
        "reached": 1.044, "read": 0.05, "steps": 0.647, "chosen": 1.039, "levels": 0.289, "spikes": 0.61,
        "mux": 0.482,
    },
    "ecp5": {
        "table": 0.996, "wide_table": 0.972, "narrow": 1.039, "wide": 1.183, "carry": 0.917, "pass": 0,
        "chain": 0.494, "short": 1.348, "carry3": 0.964, "compare": 0.847, "delay": 0, "select": 0.75, "core": 16.873,
        "sum_once": 0.6, "sum": 0.969, "doubled": 0.893, "started": 1.4, "flowing": 2.921, "reached_once": 0.563,
        "reached": 0.742, "read": 1.014, "steps": 1, "chosen": 0.709, "levels": 0.5, "spikes": 0.742, "mux": 0.75,
    },
    "ice40": {
        "table": 0.938, "wide_table": 0.838, "narrow": 0.965, "wide": 0.872, "carry": 1.013, "pass": 0.91,
        "chain": 0.3, "short": 0, "carry3": 0.942, "compare": 0.84, "delay": 0, "select": 0.607, "core": 15.461,
        "sum_once": 0.8, "sum": 1.158, "doubled": 1.046, "started": 1.3, "flowing": 3.114, "reached_once": 0.207,
        "reached": 0.461, "read": 1.016, "steps": 1.154, "chosen": 0.774, "levels": 0.5, "spikes": 0.815,
        "mux": 1.002,
    },
}  # fmt: skip

CELLS: dict[str, dict[str, float]] = {
    "xilinx": {
        "narrow": 1.042, "wide": 1, "carry": 0.55, "compare": 0.796, "delay": 0.859, "select": 0.266,
        "core": 3.928,
    },
    "ecp5": {
        "narrow": 0.66, "wide": 3.021, "carry": 0.888, "compare": 0.776, "delay": 0, "select": 0.75,
        "core": 13.173,
    },
    "ice40": {
        "narrow": 0.724, "wide": 2.584, "carry": 0.784, "compare": 0.797, "delay": 0, "select": 0.457,
        "core": 16.509,
    },
}  # fmt: skip

SPIKING_PRIOR: dict[str, dict[str, float]] = {
    "xilinx": {
        "rom": 1, "multiplier": 1.042, "add": 0.636, "select": 0.691, "lane": 1.027,
        "control": 2.667,
    },
    "ecp5": {
        "rom": 1, "multiplier": 1.3, "add": 0.959, "select": 0.879, "lane": 1.63,
        "control": 4.323,
    },
    "ice40": {
        "rom": 1, "multiplier": 0.796, "add": 0.537, "select": 0.995, "lane": 0.942, "control": 4.73,
    },
}  # fmt: skip

SPIKING: dict[str, dict[str, float]] = {
    "xilinx": {
        "rom": 0.623, "multiplier": 1.016, "add": 0.53, "select": 0.703, "lane": 0.989, "control": 2.356,
    },
    "ecp5": {
        "rom": 0.86, "multiplier": 1.3, "add": 0.934, "select": 0.899, "lane": 1.638, "control": 3.713,
    },
    "ice40": {
        "rom": 1.068, "multiplier": 0.778, "add": 0.51, "select": 0.938, "lane": 0.938, "control": 4.871,
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
        0.092, 0.176, 7, {"xilinx": (0.8, 1.25), "ecp5": (0.8, 1.4), "ice40": (0.75, 1.4)}, (0.9, 1.1)
    ),
    "quantized, folded": Accuracy(
        0.024, 0.176, 7, {"xilinx": (0.75, 1.45), "ecp5": (0.75, 1.25), "ice40": (0.8, 1.25)}, (0.75, 1.15)
    ),
    "int8, unrolled": Accuracy(
        0.02, 0.18, 6, {"xilinx": (0.75, 1.3), "ecp5": (0.8, 1.25), "ice40": (0.8, 1.25)}, (0.8, 1.2)
    ),
    "int8, folded": Accuracy(
        0.047, 0.056, 7, {"xilinx": (0.75, 1.3), "ecp5": (0.8, 1.5), "ice40": (0.8, 1.45)}, (0.85, 1.2)
    ),
    "spiking, unrolled": Accuracy(
        0.035, 0.171, 7, {"xilinx": (0.7, 1.35), "ecp5": (0.75, 1.3), "ice40": (0.75, 1.3)}, (0.85, 1.18)
    ),
    "spiking, folded": Accuracy(
        0.066, 0.117, 7, {"xilinx": (0.75, 1.3), "ecp5": (0.8, 1.25), "ice40": (0.8, 1.25)}, (0.85, 1.16)
    ),
}
"""By form of designs."""
