"""What a classifier in ONNX says of its scores: labels, and maps of probabilities, as scikit-learn's exporter does.

Such a graph has two outputs, the label and the probabilities of each sample. Both come of one tensor, the scores: the
label is an entry of a list of classes, at the scores' largest; probabilities are the scores, or a map from the classes
to them. What is read as a model is the scores, and the classes are its labels. Of two classes the scores may be p and
1 − p: the model is p then, whose class is 1 where p is above 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, printable
from .operators.applied import MACHINE_LEARNING, kind_of
from .tensors import tensor_array, tensor_shape

__all__ = ["Scores", "scores_of"]

_SAME = ("Identity", "Cast", "Reshape", "Squeeze", "Flatten")
_MOST_CLASSES, _LONGEST_NAME = 100_000, 200
_STRING, _STRINGS, _INTS = 8, 8, 7


@dataclass(frozen=True)
class Scores:
    """The tensor that a classifier decides by.

    Parameters
    ----------
    name : of the tensor.
    nodes : those that it is computed by, in the file's order.
    labels : the classes, in the order of the scores (of one: of class 0 and class 1); empty where they are 0, 1, …
    """

    name: str
    nodes: tuple[Any, ...]
    labels: tuple[str, ...]


def scores_of(
    nodes: Sequence[Any], outputs: Sequence[str], initializers: Mapping[str, Any], where: str, folder: Path | None
) -> Scores | None:
    """The scores that all of a graph's outputs come of; None where it is not a classifier of this kind.

    Raises InputError where its classes cannot be read, or are named in two ways.
    """
    makers = {name: node for node in nodes for name in node.output}
    reader = _Classes(initializers, where, folder)
    found = [_behind(name, makers, reader) for name in outputs]
    names = {name for name, _ in found}
    labels = {named for _, named in found if named is not None}
    if len(names) != 1 or (len(outputs) == 1 and not labels):
        return None
    if len(labels) > 1:
        raise InputError(where, "names its classes in two ways", "Export it anew")
    (name,) = names
    one = _one_of_two(name, makers, reader)
    name = name if one is None else one
    return Scores(name, _computing(name, nodes), _told(labels.pop() if labels else ()))


def _told(labels: tuple[str, ...]) -> tuple[str, ...]:
    """No labels where they are the places of the outputs."""
    return () if labels == tuple(map(str, range(len(labels)))) else labels


def _behind(name: str, makers: Mapping[str, Any], classes: _Classes) -> tuple[str, tuple[str, ...] | None]:
    """The tensor that an output names the largest of, or maps, and the names; else the output itself."""
    at, labels = name, None
    for _ in range(len(makers)):
        node = makers.get(at)
        if node is None or not node.input:
            break
        kind, at = kind_of(node), node.input[0]
        if kind == f"{MACHINE_LEARNING}.ZipMap" and labels is None:
            return _plain(at, makers), classes.of_map(node)
        if kind == f"{MACHINE_LEARNING}.ArrayFeatureExtractor" and len(node.input) == 2 and labels is None:
            if (labels := classes.of_tensor(at)) is None:
                break
            at = node.input[1]
        elif kind == "ArgMax" and _over_features(node):
            return _plain(at, makers), labels
        elif kind not in _SAME:
            break
    return _plain(name, makers), None


def _plain(name: str, makers: Mapping[str, Any]) -> str:
    """The tensor that an identity passes on."""
    for _ in range(len(makers)):
        if name not in makers or kind_of(makers[name]) != "Identity" or len(makers[name].input) != 1:
            break
        name = makers[name].input[0]
    return name


def _over_features(node: Any) -> bool:
    """Whether an ArgMax is the first largest of each sample [samples, classes]."""
    given = {attribute.name: attribute.i for attribute in node.attribute}
    return given.get("axis", 0) in (1, -1) and not given.get("select_last_index", 0)


def _one_of_two(name: str, makers: Mapping[str, Any], classes: _Classes) -> str | None:
    """p, where the scores are [1 − p, p]."""
    node = makers.get(name)
    if node is None or kind_of(node) != "Concat" or len(node.input) != 2:
        return None
    other = makers.get(_plain(node.input[0], makers))
    one = _plain(node.input[1], makers)
    if other is None or kind_of(other) != "Sub" or len(other.input) != 2 or _plain(other.input[1], makers) != one:
        return None
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), None)
    return one if axis in (1, -1) and classes.is_one(other.input[0]) else None


def _computing(name: str, nodes: Sequence[Any]) -> tuple[Any, ...]:
    """The nodes that a tensor depends on."""
    wanted, kept = {name}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return tuple(reversed(kept))


class _Classes:
    """Reads lists of classes."""

    def __init__(self, initializers: Mapping[str, Any], where: str, folder: Path | None) -> None:
        self._initializers, self._where, self._folder = initializers, where, folder

    def of_map(self, node: Any) -> tuple[str, ...]:
        """The classes that a ZipMap has as its keys."""
        for attribute in node.attribute:
            if attribute.name == "classlabels_strings" and attribute.type == _STRINGS:
                return self._texts(attribute.strings)
            if attribute.name == "classlabels_int64s" and attribute.type == _INTS:
                return self._bounded([str(value) for value in attribute.ints[: _MOST_CLASSES + 1]])
        raise InputError(self._where, "has a ZipMap without classes", "Export it anew")

    def of_tensor(self, name: str) -> tuple[str, ...] | None:
        """The classes in a constant; None where it is not one of whole numbers or texts."""
        tensor = self._initializers.get(name)
        if tensor is None:
            return None
        where = f"{self._where}, tensor {printable(name)!r}"
        shape = tensor_shape(tensor, where)
        if int(np.prod(shape, dtype=object)) > _MOST_CLASSES:
            raise InputError(where, f"holds more than {_MOST_CLASSES} classes")
        if tensor.data_type == _STRING:
            return self._texts(tensor.string_data)
        values = tensor_array(tensor, where, self._folder).reshape(-1)
        if not np.array_equal(values, np.rint(values)):
            return None
        return self._bounded([str(int(value)) for value in values.tolist()])

    def is_one(self, name: str) -> bool:
        """Whether a constant is the number 1."""
        tensor = self._initializers.get(name)
        if tensor is None or tensor_shape(tensor, self._where) not in ((), (1,), (1, 1)):
            return False
        return bool(np.all(tensor_array(tensor, self._where, self._folder) == 1))

    def _texts(self, values: Sequence[bytes]) -> tuple[str, ...]:
        try:
            return self._bounded([value.decode() for value in values[: _MOST_CLASSES + 1]])
        except UnicodeDecodeError as error:
            raise InputError(self._where, f"names a class in other than UTF-8 ({error})", "Export it anew") from error

    def _bounded(self, names: list[str]) -> tuple[str, ...]:
        wrong = next((name for name in names if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME), None)
        if wrong is not None:
            raise InputError(
                self._where,
                f"names a class {printable(wrong, 40)!r}",
                f"Give classes names of 1 to {_LONGEST_NAME} characters",
            )
        if not names or len(names) > _MOST_CLASSES or len(set(names)) != len(names):
            raise InputError(self._where, f"has a list of {len(names)} classes, none of them or one twice")
        return tuple(names)
