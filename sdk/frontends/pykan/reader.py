"""A pykan network's tensors as `EdgeFunctions`, one for each of its layers.

A layer of pykan 0.2 computes, for the edge from i to o (its tensors are stored [inputs, outputs]),

    x'[o] = Σ_i mask[i, o] · (scale_base[i, o] · f(x[i]) + scale_sp[i, o] · Σ_j coef[i, o, j] · B_j(x[i]))
          + Σ_i symbolic mask[o, i] · (c · g(a · x[i] + b) + d)
    y[o]  = node_scale[o] · (subnode_scale[o] · x'[o] + subnode_bias[o]) + node_bias[o]

where [a, b, c, d] is `affine[o, i]`. Everything but f, g and B_j is a factor or a shift, and taken into those of the
operator.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed, InputError
from ..float_operators.edge_functions import FORMULAS, EdgeFunctions
from ..format import Request
from ..mlp import Mlp, MlpNode
from ..self_check import TOLERANCE

__all__ = ["read_network"]

Floats = npt.NDArray[np.float64]

_SAMPLES = 64
_BEYOND = 0.25
"""Samples of the check reach so far past the grid, as a share of its width."""
_SAME = {"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"}


def read_network(request: Request) -> Mlp:
    """See `formats.pykan_module`."""
    from kan.MultKAN import MultKAN

    model, where = request.source, request.where
    if not isinstance(model, MultKAN):
        raise InputError(
            where,
            "holds a pykan network beside other modules, which edgeml does not read together",
            "Pass the KAN itself; what stands before and behind it, such as a normalisation, do on your data",
        )
    nodes: list[MlpNode] = []
    source = "input"
    for index in range(int(model.depth)):
        operator = _layer(model, index, f"{where}, layer {index}")
        if index == 0:
            operator = _of_all_features(operator, model, request)
        nodes.append(MlpNode(f"kan_{index}", operator, (source,), f"layer {index}"))
        source = f"kan_{index}"
    mlp = Mlp(request.model_name(type(model).__name__), nodes[0].operator.inputs, tuple(nodes))  # type: ignore[attr-defined]
    _check(mlp, model, where)
    return mlp


def _layer(model: Any, index: int, where: str) -> EdgeFunctions:
    multiplications = int(model.width[index + 1][1])
    if multiplications:
        raise InputError(
            where,
            f"has {multiplications} multiplication node{'s' * (multiplications > 1)}: a product of two sums is not a "
            "sum of functions of one input",
            f"Train it with additions alone: width={[int(sums) for sums, _ in model.width]}",
        )
    layer = model.act_fun[index]
    mask = _array(layer.mask).T
    coefficients = _array(layer.coef).transpose(1, 0, 2) * (mask * _array(layer.scale_sp).T)[:, :, None]
    base, base_function = mask * _array(layer.scale_base).T, _base_function(model, layer, where)
    if base_function == "zero":
        base, base_function = np.zeros_like(base), "identity"
    formulas, names = _formulas(model, index, where)
    for what, values in (("coef", coefficients), ("scale_base", base), ("affine", formulas)):
        if not np.all(np.isfinite(values)):
            raise InputError(f"{where}, {what}", "holds NaN or infinity", "Train the model again")
    edges = EdgeFunctions(
        _array(layer.grid), coefficients, int(layer.k), base, base_function, np.zeros(len(base)), formulas, names
    )
    inner_scale, inner_bias = _array(model.subnode_scale[index]), _array(model.subnode_bias[index])
    outer_scale, outer_bias = _array(model.node_scale[index]), _array(model.node_bias[index])
    scaled = edges.scaled_and_shifted(inner_scale * outer_scale, inner_bias * outer_scale + outer_bias)
    assert isinstance(scaled, EdgeFunctions)
    return scaled


def _base_function(model: Any, layer: Any, where: str) -> str:
    import torch

    if isinstance(layer.base_fun, torch.nn.SiLU):
        return "silu"
    if isinstance(layer.base_fun, torch.nn.Identity):
        return "identity"
    if model.base_fun_name == "zero":
        return "zero"
    found = getattr(layer.base_fun, "__name__", type(layer.base_fun).__name__)
    raise InputError(
        where, f"has the base function {found}, which edgeml does not know", "Use base_fun='silu', 'identity' or 'zero'"
    )


def _formulas(model: Any, index: int, where: str) -> tuple[Floats, tuple[str, ...]]:
    """What `fix_symbolic` put on edges, as the fields of `EdgeFunctions`."""
    symbolic = model.symbolic_fun[index]
    mask, affine = _array(symbolic.mask), _array(symbolic.affine)
    rows, names = [], []
    for output, channel in np.argwhere(mask != 0) if model.symbolic_enabled else ():
        name = symbolic.funs_name[output][channel]
        name = _SAME.get(name, name)
        a, b, c, d = affine[output, channel]
        if name == "0":
            name, c = "x", 0.0
        if name not in FORMULAS:
            raise InputError(
                f"{where}, the edge from {channel} to {output}",
                f"is fixed to the function {name!r}, which edgeml does not know",
                f"Known are {', '.join(FORMULAS)}; unfix_symbolic puts the spline back",
            )
        weight = mask[output, channel]
        rows.append([output, channel, a, b, c * weight, d * weight])
        names.append(name)
    return np.array(rows, np.float64).reshape(-1, 6), tuple(names)


def _of_all_features(operator: EdgeFunctions, model: Any, request: Request) -> EdgeFunctions:
    """The first layer for all features of a sample, of which a network with pruned inputs takes some."""
    chosen = np.asarray(model.input_id.cpu(), np.int64)
    features = int(chosen.max()) + 1
    if request.example is not None:
        features = max(features, int(np.shape(request.example)[-1]))
    if np.array_equal(chosen, np.arange(features)):
        return operator
    knots = np.repeat(operator.knots[:1], features, axis=0)
    knots[chosen] = operator.knots
    coefficients = np.zeros((operator.outputs, features, operator.coefficients.shape[2]))
    coefficients[:, chosen] = operator.coefficients
    base = np.zeros((operator.outputs, features))
    base[:, chosen] = operator.base
    formulas = operator.formulas.copy()
    formulas[:, 1] = chosen[formulas[:, 1].astype(np.int64)]
    return EdgeFunctions(
        knots, coefficients, operator.order, base, operator.base_function, operator.bias, formulas,
        operator.formula_names,
    )  # fmt: skip


def _array(tensor: Any) -> Floats:
    return np.asarray(tensor.detach().cpu().double().numpy())


def _check(mlp: Mlp, model: Any, where: str) -> None:
    """Compare `mlp` with the network in float64, on samples around its first grid. CheckFailed if they differ."""
    first = mlp.nodes[0].operator
    assert isinstance(first, EdgeFunctions)
    low, high = first.knots[:, first.order], first.knots[:, -1 - first.order]
    x = np.random.default_rng(0).uniform(-_BEYOND, 1 + _BEYOND, (_SAMPLES, first.inputs)) * (high - low) + low
    with np.errstate(all="ignore"):
        trace = mlp.trace(x)
    found, expected = trace[mlp.nodes[-1].name], _run(model, x)
    finite = np.all(np.isfinite(expected), axis=1)
    if not np.any(finite):
        raise InputError(where, "gives NaN or infinity for all inputs around its grid", "Train the model again")
    size = np.max([np.abs(values[finite]).max() for values in trace.values()])
    difference = np.abs(found - expected)[finite].max()
    if not difference <= TOLERANCE * max(1.0, float(size)):
        raise CheckFailed(
            where,
            f"edgeml misread this model: its outputs differ from the source's by up to {difference:.3g}",
            "Is it of pykan 0.2? Else this is a defect of edgeml; please report it",
        )


def _run(model: Any, x: Floats) -> Floats:
    """The network on x in float64; a forward keeps what it saw on the module, and a shallow copy takes that."""
    import torch

    double = {name: parameter.detach().double() for name, parameter in model.named_parameters()}
    watched = copy.copy(model)
    with torch.no_grad():
        y = torch.func.functional_call(watched, double, (torch.from_numpy(x).to(model.device),))
    return _array(y)
