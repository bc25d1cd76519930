"""What torch functions do to recorded values, by the function's name."""

from __future__ import annotations

from collections.abc import Callable

from . import affine, arrangement
from .expressions import Ranked, Unreadable, Value
from .operands import NotRead, Operands, flat

__all__ = ["CONSTANTS", "NUMBERS_OUT", "OPERATIONS", "carry_out"]

NUMBERS_OUT = frozenset({"item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__"})
"""Functions that take Python numbers out of a tensor: what a program does with them is not seen."""

CONSTANTS = frozenset({"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"})
"""Functions whose result does not depend on the values of the tensor that they are given."""


OPERATIONS: dict[str, Callable[[Operands], Value | Ranked]] = {
    **dict.fromkeys(("add", "__add__", "__radd__", "add_", "__iadd__"), affine.add),
    **dict.fromkeys(("sub", "subtract", "__sub__", "sub_", "__isub__"), affine.subtract),
    **dict.fromkeys(("rsub", "__rsub__"), affine.subtract_from),
    **dict.fromkeys(("mul", "multiply", "__mul__", "__rmul__", "mul_", "__imul__"), affine.multiply),
    **dict.fromkeys(("div", "divide", "true_divide", "__truediv__", "__div__", "div_", "__itruediv__"), affine.divide),
    "linear": affine.linear,
    **dict.fromkeys(("matmul", "mm", "__matmul__"), affine.matmul),
    "batch_norm": affine.batch_norm,
    "dropout": affine.dropout,
    **dict.fromkeys(("detach", "clone", "contiguous", "float", "double", "to", "cpu"), arrangement.same),
    **dict.fromkeys(("type_as", "requires_grad_"), arrangement.same),
    **dict.fromkeys(("reshape", "view", "flatten", "squeeze", "unsqueeze"), arrangement.reshape),
    **dict.fromkeys(("unflatten", "view_as", "reshape_as"), arrangement.reshape),
    **dict.fromkeys(("transpose", "permute", "movedim", "swapaxes", "swapdims", "moveaxis"), arrangement.swap),
    **dict.fromkeys(("repeat", "expand", "expand_as", "broadcast_to", "tile"), arrangement.repeat),
    "stack": arrangement.stack,
    **dict.fromkeys(("cat", "concat", "concatenate"), arrangement.join),
    "__getitem__": arrangement.take,
    "sum": arrangement.sum_over_time,
    "mean": arrangement.mean_over_time,
    **dict.fromkeys(("neg", "negative", "__neg__"), affine.negated),
    **dict.fromkeys(("softmax", "log_softmax"), arrangement.ranked("softmax")),
    **dict.fromkeys(("max", "amax"), arrangement.ranked("largest")),
}  # fmt: skip
"""By the name of the function that torch tells; names that end in `_` change their first argument."""


def carry_out(name: str, operands: Operands, where: str) -> Value | Ranked:
    """The value that a function gives; `Unreadable` where it is none of `OPERATIONS`, or does more than they say."""
    operation = OPERATIONS.get(name)
    shown = name.strip("_")
    if operation is None:
        for argument in flat([*operands.arguments, *operands.named.values()]):
            if isinstance(value := operands.value(argument), Unreadable):
                return value
        return Unreadable(shown, where)
    try:
        return operation(operands)
    except NotRead as reason:
        why = f" {reason}" if str(reason) else ""
        return Unreadable(f"{shown}{why}", where, layout=reason.layout)
