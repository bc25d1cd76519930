"""A layer of a Kolmogorov-Arnold network (KAN): a function of one input on each edge, summed at each output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["BASE_FUNCTIONS", "FORMULAS", "EdgeFunctions"]

_MOST_TERMS = 2**26

BASE_FUNCTIONS: Mapping[str, Callable[[ArrayLibrary, Any], Any]] = {
    "silu": lambda arrays, x: x * arrays.sigmoid(x),
    "identity": lambda arrays, x: x,
}
"""What `base` may weigh, by name, of arrays of either library."""
_SMALLEST_SILU = -0.2784645427610738

FORMULAS: Mapping[str, Callable[[Any, Any], Any]] = {
    "x": lambda f, x: x,
    "x^2": lambda f, x: x * x,
    "x^3": lambda f, x: x * x * x,
    "x^4": lambda f, x: x**4,
    "x^5": lambda f, x: x**5,
    "1/x": lambda f, x: 1 / x,
    "1/x^2": lambda f, x: 1 / x**2,
    "1/x^3": lambda f, x: 1 / x**3,
    "1/x^4": lambda f, x: 1 / x**4,
    "1/x^5": lambda f, x: 1 / x**5,
    "sqrt": lambda f, x: f.sqrt(x),
    "x^1.5": lambda f, x: f.sqrt(x) ** 3,
    "1/sqrt(x)": lambda f, x: 1 / f.sqrt(x),
    "exp": lambda f, x: f.exp(x),
    "log": lambda f, x: f.log(x),
    "abs": lambda f, x: f.abs(x),
    "sin": lambda f, x: f.sin(x),
    "cos": lambda f, x: f.cos(x),
    "tan": lambda f, x: f.tan(x),
    "tanh": lambda f, x: f.tanh(x),
    "sgn": lambda f, x: f.sign(x),
    "arcsin": lambda f, x: f.arcsin(x),
    "arccos": lambda f, x: f.arccos(x),
    "arctan": lambda f, x: f.arctan(x),
    "arctanh": lambda f, x: f.arctanh(x),
    "gaussian": lambda f, x: f.exp(-x * x),
}
"""What a formula on an edge may be, by name, of arrays of numpy or torch."""


@dataclass(frozen=True, eq=False)
class EdgeFunctions(FloatOperator):
    """y[o] = bias[o] + Σ_i φ[o, i](x[i]), where φ is a spline, a share of a base function, and formulas, added up:

        φ[o, i](x) = Σ_j coefficients[o, i, j] · B_j(x; knots[i]) + base[o, i] · f(x) + Σ c · g(a·x + b) + d

    B_j are the B-splines of `order` k by the recursion of Cox and de Boor, on half-open intervals and 0 beyond the
    knots: B_j,0 = 1 where t_j ≤ x < t_j+1, and B_j,k = (x − t_j) / (t_j+k − t_j) · B_j,k−1 +
    (t_j+k+1 − x) / (t_j+k+1 − t_j+1) · B_j+1,k−1. One of whose two intervals either is empty is 0, as pykan has it.
    Of order 1 they are hats, and the splines are piecewise linear.

    Parameters
    ----------
    knots : float64 [inputs, knots], rising.
    coefficients : float64 [outputs, inputs, knots − 1 − order].
    order : of the B-splines, 1 to 8.
    base : float64 [outputs, inputs].
    base_function : f, a name of `BASE_FUNCTIONS`.
    bias : float64 [outputs].
    formulas : float64 [formulas, 6], of each: output o, input i, a, b, c and d; there may be none.
    formula_names : g of each, a name of `FORMULAS`.
    """

    kind: ClassVar[str] = "edge_functions"
    role: ClassVar[Role] = Role.EDGES
    quantized_remedy: ClassVar[str] = "Convert with --to quantized, where the functions become tables of integers"

    knots: Floats
    coefficients: Floats
    order: int
    base: Floats
    base_function: str
    bias: Floats
    formulas: Floats
    formula_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, dimensions in (("knots", 2), ("coefficients", 3), ("base", 2), ("bias", 1)):
            object.__setattr__(self, name, finite_array(f"edge functions, {name}", getattr(self, name), dimensions))
        outputs, inputs, terms = self.coefficients.shape
        if not 1 <= self.order <= 8:
            raise InputError("edge functions, order", f"must be 1 to 8, found {self.order}")
        if self.knots.shape != (inputs, terms + 1 + self.order):
            expected = [inputs, terms + 1 + self.order]
            raise InputError("edge functions, knots", f"must be {expected}, found {list(self.knots.shape)}")
        if np.any(np.diff(self.knots, axis=1) < 0):
            raise InputError(
                "edge functions, knots", "must rise", "Build the grid again from its lower to its upper end"
            )
        if self.base.shape != (outputs, inputs) or self.bias.shape != (outputs,):
            raise InputError("edge functions", f"base and bias do not fit {outputs} outputs of {inputs} inputs")
        if self.base_function not in BASE_FUNCTIONS:
            raise InputError(
                "edge functions, base function", f"{self.base_function} is not {' or '.join(BASE_FUNCTIONS)}"
            )
        self._check_formulas()

    def _check_formulas(self) -> None:
        formulas = np.array(self.formulas, np.float64).reshape(-1, 6)
        formulas.setflags(write=False)
        object.__setattr__(self, "formulas", formulas)
        if len(formulas) != len(self.formula_names) or not np.all(np.isfinite(formulas)):
            raise InputError("edge functions, formulas", f"{len(formulas)} of {len(self.formula_names)} names, or NaN")
        if unknown := sorted(set(self.formula_names) - set(FORMULAS)):
            raise InputError("edge functions, formulas", f"edgeml does not know {', '.join(unknown)}")
        ends = np.array(self.base.shape)
        if np.any(formulas[:, :2] < 0) or np.any(formulas[:, :2] >= ends):
            raise InputError("edge functions, formulas", "stand on edges that there are not")

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.bias.size)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.knots.shape[0])

    @property
    def used_inputs(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """bool [inputs]: whether an edge from there is more than a constant (or a formula, which may be one)."""
        used = np.any(self.coefficients != 0, axis=(0, 2)) | np.any(self.base != 0, axis=0)
        used[self.formulas[:, 1].astype(np.int64)] = True
        return np.asarray(used)

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        if inputs != self.inputs:
            raise InputError("edge functions", f"take {self.inputs} features, found {inputs}")
        return self.outputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        (x,) = inputs
        f = arrays.functions
        basis = _basis(f, x, parameters["knots"], self.order)
        y = f.einsum("sij,oij->so", basis, parameters["coefficients"])
        with np.errstate(all="ignore"):
            y = y + f.einsum("si,oi->so", BASE_FUNCTIONS[self.base_function](arrays, x), parameters["base"])
        y = y + parameters["bias"]
        if not self.formula_names:
            return y
        columns = [y[:, output] for output in range(self.outputs)]
        for row, name in enumerate(self.formula_names):
            output, channel = (int(each) for each in self.formulas[row, :2])
            a, b, c, d = parameters["formulas"][row, 2:]
            with np.errstate(all="ignore"):
                columns[output] = columns[output] + c * FORMULAS[name](f, a * x[:, channel] + b) + d
        return f.stack(columns, 1)

    def on_edges(self, points: Floats) -> Floats:
        """φ[o, i](points[p, i]) as float64 [outputs, inputs, points], for points [points, inputs]; without the bias.

        Raises InputError where a formula is not finite: the output, the input and the point are named.
        """
        if points.size * max(self.outputs, self.knots.shape[1]) > _MOST_TERMS:
            raise InputError(
                "edge functions", f"hold more than {_MOST_TERMS} entries in tables of {len(points)} values"
            )
        basis = _basis(np, points, self.knots, self.order)
        values = np.einsum("pij,oij->oip", basis, self.coefficients)
        from .arrays import NUMPY

        values += self.base[:, :, None] * BASE_FUNCTIONS[self.base_function](NUMPY, points).T[None]
        for (output, channel, a, b, c, d), name in zip(self.formulas, self.formula_names, strict=True):
            with np.errstate(all="ignore"):
                edge = c * FORMULAS[name](np, a * points[:, int(channel)] + b) + d
            if not np.all(np.isfinite(edge)):
                point = points[np.flatnonzero(~np.isfinite(edge))[0], int(channel)]
                raise InputError(
                    f"edge functions, the formula {name} from input {int(channel)} to output {int(output)}",
                    f"is not finite at {point:g}, which this input reaches",
                    "Put a spline or another formula on that edge (pykan: unfix_symbolic or fix_symbolic)",
                )
            values[int(output), int(channel)] += edge
        return np.asarray(values)

    def output_range(self, *inputs: Interval) -> Interval:
        """Of splines their hull, for B-splines are at least 0 and together at most 1; of formulas all numbers."""
        low, high = (np.broadcast_to(end, (self.inputs,)) for end in (inputs[0].low, inputs[0].high))
        least = np.minimum(self.coefficients.min(axis=2), 0).sum(axis=1) + self.bias
        most = np.maximum(self.coefficients.max(axis=2), 0).sum(axis=1) + self.bias
        base_low, base_high = low, high
        if self.base_function == "silu":
            base_low, base_high = np.full(self.inputs, _SMALLEST_SILU), np.maximum(high, 0)
        with np.errstate(invalid="ignore"):
            ends = [np.where(self.base == 0, 0.0, self.base * end) for end in (base_low, base_high)]
        least, most = least + np.minimum(*ends).sum(axis=1), most + np.maximum(*ends).sum(axis=1)
        reached = np.isin(np.arange(self.outputs), self.formulas[:, 0])
        return Interval(np.where(reached, -np.inf, least), np.where(reached, np.inf, most))

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        formulas = self.formulas.copy()
        formulas[:, 4:] *= scale[formulas[:, 0].astype(np.int64)][:, None]
        return EdgeFunctions(
            self.knots,
            self.coefficients * scale[:, None, None],
            self.order,
            self.base * scale[:, None],
            self.base_function,
            self.bias * scale + shift,
            formulas,
            self.formula_names,
        )


def _basis(f: Any, x: Any, knots: Any, order: int) -> Any:
    """B-splines [samples, inputs, knots − 1 − order] of x [samples, inputs]."""
    x, knots = x[:, :, None], knots[None]
    basis = (x >= knots[..., :-1]) & (x < knots[..., 1:])
    for k in range(1, order + 1):
        rising, falling = knots[..., k:-1] - knots[..., : -(k + 1)], knots[..., k + 1 :] - knots[..., 1:-k]
        there = (rising > 0) & (falling > 0)
        rising, falling = (f.where(there, each, f.ones_like(each)) for each in (rising, falling))
        up = (x - knots[..., : -(k + 1)]) / rising * basis[..., :-1]
        down = (knots[..., k + 1 :] - x) / falling * basis[..., 1:]
        basis = (up + down) * there
    return basis
