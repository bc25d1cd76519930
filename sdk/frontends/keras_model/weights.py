"""The variables of layers, in the order in which each kind of layer keeps them.

A `.keras` file has one group per layer, named by the layer's class and how many of this class stand before it, with
the variables numbered in `vars`. A `.h5` file names groups by layers; the variables are below, by their names.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError, printable
from ...system.hdf5_file import Hdf5File

__all__ = ["LegacyWeights", "NativeWeights", "Weights", "group_names"]

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""What the group of a model's layers is called: in Keras 3, and in some versions of Keras 2."""
_MOST_DEPTH = 16
_MOST_VARIABLES = 10_000


class Weights(ABC):
    """The variables of the layers of one model."""

    @abstractmethod
    def of(self, name: str, expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        """The variables of the layer `name`, which are to be those that `expected` names, in its order.

        Raises
        ------
        InputError : there are others, or fewer.
        """

    @abstractmethod
    def below(self, name: str, path: Sequence[str], expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        """The same of what stands below a layer by the names of its parts: the variables of a part of a part."""

    @abstractmethod
    def within(self, name: str, layers: Sequence[tuple[str, str]]) -> Weights:
        """Those of the model that is the layer `name`, whose layers are named by `place` then."""

    @abstractmethod
    def place(self, layers: Sequence[tuple[str, str]]) -> None:
        """Say which layers the model has: name and class of each, in their order."""


def group_names(layers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What a `.keras` file calls the group of each layer (name, class): the class in lower case, words apart, and a
    number from the second of the class on."""
    counts: Counter[str] = Counter()
    found = {}
    for name, kind in layers:
        own = kind.rpartition(">")[2]  # of another package's class, which is registered with the package's name
        words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W", "", own))
        words = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        found[name] = f"{words}_{counts[words]}" if counts[words] else words
        counts[words] += 1
    return found


class NativeWeights(Weights):
    """Those in the model.weights.h5 of a `.keras` file."""

    def __init__(self, file: Hdf5File, model: Any) -> None:
        self._file, self._model = file, model
        self._groups: dict[str, Any] = {}

    def place(self, layers: Sequence[tuple[str, str]]) -> None:
        containers = [group for name in _CONTAINERS if (group := self._file.group(self._model, name)) is not None]
        container = containers[0] if containers else None
        called = group_names(layers)
        if container is None:
            return
        for name, group_name in called.items():
            group = self._file.group(container, group_name)
            if group is None:
                continue
            variables = self._file.group(group, "vars")
            stated = None if variables is None else self._file.text(variables, "name")
            if stated is not None and stated != name:
                raise InputError(
                    self._file.where,
                    f"the weights in {printable(group_name, 60)} are those of layer {printable(stated, 60)!r}, "
                    f"where those of {printable(name, 60)!r} belong",
                )
            self._groups[name] = group

    def within(self, name: str, layers: Sequence[tuple[str, str]]) -> Weights:
        inner = NativeWeights(self._file, self._groups.get(name, self._model))
        if name in self._groups:
            inner.place(layers)
        return inner

    def of(self, name: str, expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        return self.below(name, (), expected)

    def below(self, name: str, path: Sequence[str], expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        group = self._groups.get(name)
        for part in path:
            group = None if group is None else self._file.group(group, part)
        variables = None if group is None else self._file.group(group, "vars")
        count = 0 if variables is None else len(variables)
        if count != len(expected):
            raise InputError(
                f"{self._file.where}, layer {printable(name, 60)!r}",
                f"has {count} variables, where its configuration means {len(expected)} ({', '.join(expected)})",
            )
        found = [self._file.dataset(variables, str(index)) for index in range(count)]
        if any(dataset is None for dataset in found):
            raise InputError(f"{self._file.where}, layer {printable(name, 60)!r}", "its variables are not numbered")
        return [_numbers(self._file, dataset) for dataset in found]


class LegacyWeights(Weights):
    """Those in the group model_weights of a `.h5` file; `inner` within which layers of it, for a model in a model."""

    def __init__(self, file: Hdf5File, group: Any, inner: Any = None) -> None:
        self._file, self._group, self._inner = file, group, inner

    def place(self, layers: Sequence[tuple[str, str]]) -> None:
        """Layers are found by their names."""

    def below(self, name: str, path: Sequence[str], expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        where = f"{self._file.where}, layer {printable(name, 60)!r}"
        raise InputError(where, "has parts with variables of their own", "Save the model as .keras, not as .h5")

    def within(self, name: str, layers: Sequence[tuple[str, str]]) -> Weights:
        inner = self._inner if self._inner is not None else self._file.group(self._group, name)
        return LegacyWeights(self._file, self._group, inner)

    def of(self, name: str, expected: Sequence[str]) -> list[npt.NDArray[Any]]:
        where = f"{self._file.where}, layer {printable(name, 60)!r}"
        group = self._inner if self._inner is not None else self._file.group(self._group, name)
        stored = [] if group is None else self._variables(group)
        if self._inner is not None:
            # All variables of the inner model stand together, each in its layer's group.
            stored = [each for each in stored if each[0] == name]
        found = {variable.partition(":")[0]: dataset for _, variable, dataset in stored}
        if len(found) != len(stored):
            raise InputError(
                where,
                "shares its name with a layer of another model in this model, and a .h5 file does not tell them apart",
                "Save it as .keras, or give the layers names of their own",
            )
        if set(found) != set(expected):
            has = printable(", ".join(found) or "none", 100)
            raise InputError(where, f"has the variables {has}, where its configuration means {', '.join(expected)}")
        return [_numbers(self._file, found[each]) for each in expected]

    def _variables(self, group: Any) -> list[tuple[str, str, Any]]:
        """The datasets below a group: the name of the group that each lies in, its own, and itself."""
        found: list[tuple[str, str, Any]] = []
        waiting = [("", group, 0)]
        while waiting:
            within, holder, depth = waiting.pop()
            for name in holder:
                inner = self._file.group(holder, name)
                if inner is not None and depth < _MOST_DEPTH:
                    waiting.append((name, inner, depth + 1))
                elif inner is None and (dataset := self._file.dataset(holder, name)) is not None:
                    found.append((within, name, dataset))
                if len(found) + len(waiting) > _MOST_VARIABLES:
                    raise InputError(self._file.where, f"has more than {_MOST_VARIABLES} variables in one layer")
        return found


def _numbers(file: Hdf5File, dataset: Any) -> npt.NDArray[Any]:
    values = file.values(dataset)
    if values.dtype.kind not in "fiu" or not np.all(np.isfinite(values)):
        raise InputError(file.where, f"{printable(dataset.name, 80)} holds something else than finite numbers")
    return values
