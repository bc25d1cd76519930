"""Boosted trees as TreeLUT builds them: XGBoost, leaves of few bits, shared comparisons, multiplexers, sums.

Settings: rounds, depth, leaf_bits, learning_rate. The leaves of a tree are shifted so that the least is 0, and all
scaled by one number; what was taken away is added to the class again. Of two classes one sum is made, held against a
number.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from contract import DataSet, Task, asked, at_least, leave

Tree = dict[str, Any]


def trained(task: Task) -> list[list[Tree]]:
    """The trees of each class; of two classes, those of the second."""
    data, settings = task.data, task.settings
    several = data.classes > 2
    parameters = {
        "objective": "multi:softprob" if several else "binary:logistic",
        "max_depth": settings["depth"],
        "eta": settings["learning_rate"],
        "seed": task.seed,
        "subsample": settings.get("subsample", 1.0),
        "nthread": 1,
        "base_score": 0.5,
        **({"num_class": data.classes} if several else {}),
    }
    matrix = xgboost.DMatrix(data.x_train, label=data.y_train)
    booster = xgboost.train(parameters, matrix, settings["rounds"])
    trees = [json.loads(text) for text in booster.get_dump(dump_format="json")]
    sums = data.classes if several else 1
    return [trees[kind::sums] for kind in range(sums)]


def leaves(tree: Tree) -> list[float]:
    """Values of the leaves."""
    return [tree["leaf"]] if "leaf" in tree else [leaf for child in tree["children"] for leaf in leaves(child)]


def in_integers(trees: list[list[Tree]], bits: int) -> npt.NDArray[np.int64]:
    """Make the leaves integers 0 … 2^bits − 1, in place; returns what is added to each class, at least 0.

    Of two classes the first is a number, the second a sum: [number, what is added to the sum].
    """
    largest = max(max(leaves(tree)) - min(leaves(tree)) for group in trees for tree in group)
    scale = ((1 << bits) - 1) / largest
    added = np.zeros(len(trees))

    def rounded(tree: Tree, least: float) -> None:
        if "leaf" in tree:
            tree["leaf"] = round((tree["leaf"] - least) * scale)
        for child in tree.get("children", []):
            rounded(child, least)

    for kind, group in enumerate(trees):
        for tree in group:
            least = min(leaves(tree))
            added[kind] += least * scale
            rounded(tree, least)
    if len(trees) == 1:
        added = np.concatenate([[0.0], added])
    return np.rint(added - added.min()).astype(np.int64)


def _split(tree: Tree) -> tuple[int, int]:
    """(feature, threshold): to the right where the integer is at least the threshold."""
    return int(tree["split"].removeprefix("f")), math.ceil(tree["split_condition"])


def value(tree: Tree, x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The tree's integer for each sample."""
    if "leaf" in tree:
        return np.full(len(x), tree["leaf"], np.int64)
    feature, threshold = _split(tree)
    children = {child["nodeid"]: child for child in tree["children"]}
    right = x[:, feature] >= threshold
    return np.where(right, value(children[tree["no"]], x), value(children[tree["yes"]], x))


def expression(tree: Tree, bits: int, compared: set[tuple[int, int]]) -> str:
    """Verilog of the tree: nested choices; the comparisons it needs are added to `compared`."""
    if "leaf" in tree:
        return f"{bits}'d{tree['leaf']}"
    feature, threshold = _split(tree)
    compared.add((feature, threshold))
    children = {child["nodeid"]: child for child in tree["children"]}
    right, left = (expression(children[tree[way]], bits, compared) for way in ("no", "yes"))
    return f"(c{feature}_{threshold} ? {right} : {left})"


def sums(trees: list[list[Tree]], offsets: npt.NDArray[np.int64], x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The outputs of each sample, [samples, classes]."""
    groups = trees if len(trees) > 1 else [[], *trees]
    columns = [sum((value(tree, x) for tree in group), np.zeros(len(x), np.int64)) for group in groups]
    return np.stack(columns, axis=1) + offsets


def verilog(trees: list[list[Tree]], offsets: npt.NDArray[np.int64], data: DataSet) -> tuple[str, int]:
    """The module, and the bits of an output."""
    compared: set[tuple[int, int]] = set()
    groups = trees if len(trees) > 1 else [[], *trees]
    most = max(
        int(offset) + sum(int(max(leaves(tree))) for tree in group)
        for group, offset in zip(groups, offsets, strict=True)
    )
    bits = max(most, 1).bit_length()
    lines = []
    for kind, (group, offset) in enumerate(zip(groups, offsets, strict=True)):
        for number, tree in enumerate(group):
            width = max(int(max(leaves(tree))).bit_length(), 1)
            lines.append(f"  wire [{width - 1}:0] t{kind}_{number} = {expression(tree, width, compared)};")
        terms = [f"t{kind}_{number}" for number in range(len(group))]
        if offset or not terms:
            terms.append(f"{bits}'d{offset}")
        lines.append(f"  wire [{bits - 1}:0] s{kind} = {' + '.join(terms)};")
    raw = [f"  wire [{data.bits - 1}:0] r{f} = in_data[{f * data.bits} +: {data.bits}];" for f in range(data.features)]
    raw += [f"  wire c{f}_{t} = {at_least(f'r{f}', data.bits, t)};" for f, t in sorted(compared)]
    ports = f"input [{data.features * data.bits - 1}:0] in_data, output [{data.classes * bits - 1}:0] out_data"
    end = [
        f"  assign out_data = {{{', '.join(f's{kind}' for kind in reversed(range(data.classes)))}}};",
        "endmodule",
        "",
    ]
    return "\n".join([f"module m({ports});", *raw, *lines, *end]), bits


def main() -> None:
    """Train and leave one forest."""
    task = asked()
    trees = trained(task)
    offsets = in_integers(trees, task.settings["leaf_bits"])
    text, bits = verilog(trees, offsets, task.data)
    validation = sums(trees, offsets, task.data.x_validation).argmax(axis=1)
    leave(
        task,
        "network",
        text,
        output_bits=bits,
        signed=False,
        test_classes=sums(trees, offsets, task.data.x_test).argmax(axis=1),
        packages=("xgboost-cpu",),
        validation=float((validation == task.data.y_validation).mean()),
    )


if __name__ == "__main__":
    main()
