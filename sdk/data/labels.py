"""Names of classes: where they come from, and classes given by name turned into numbers.

Only the user knows which output of the model stands for which name: a name is coded by its place in `labels`, never by
the alphabet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["as_text", "coded", "label_names", "numbers_are_names"]

_MOST_NAMED = 8


def as_text(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`array` as text, where it holds names in another way: Python strings, as pandas has them, or bytes in UTF-8."""
    names = array.reshape(-1).tolist() if array.dtype.kind in "OST" else []
    if not names or not all(isinstance(name, str | bytes) for name in names):
        return array
    try:
        text = [name.decode() if isinstance(name, bytes) else name for name in names]
    except UnicodeDecodeError:
        return array
    return np.array(text, np.str_).reshape(array.shape)


def label_names(where: str, own: Any, given: Sequence[str]) -> tuple[str, ...]:
    """The labels of a data set: its `own`, else those `given` with it.

    Raises InputError naming `where` for anything but one list of different names, and where both differ.
    """
    array = as_text(np.asarray(own))
    if array.size and (array.ndim != 1 or array.dtype.kind not in "Uiu"):
        raise InputError(where, f"must be one list of names, found {array.dtype} {list(array.shape)}")
    names = tuple(str(name) for name in array) if array.size else ()
    other = tuple(given)
    if names and other and names != other:
        raise InputError(where, f"are {_named(names)}, but {_named(other)} are given", "Leave one of the two out")
    names = names or other
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(where, f"names {twice!r} twice")
    return names


def coded(where: str, y: npt.NDArray[Any], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Classes by name y [samples] as their places in `labels`, int64 [samples].

    Raises InputError where there are no labels, or naming those that are not among them.
    """
    if not all(y):
        row = int(np.argmax(y == ""))
        raise InputError(where, f"sample {row} has no class", "Give it one, or remove such samples")
    names, places = np.unique(y, return_inverse=True)
    found = [str(name) for name in names]
    if not labels:
        raise InputError(
            where,
            f"holds names ({_named(found)}), and nothing says which output of the model each stands for",
            f"Give the names in the order of the outputs: --labels {','.join(found[:_MOST_NAMED])} in your order, "
            "labels=[…] in Python, or an array 'labels' in the .npz",
        )
    if unknown := [name for name in found if name not in labels]:
        raise InputError(
            where, f"holds {_named(unknown)}, not among the labels {_named(labels)}", "Correct the labels or y"
        )
    position = {name: place for place, name in enumerate(labels)}
    return np.array([position[name] for name in found], np.int64)[places.reshape(-1)]


def numbers_are_names(where: str, arrays: Sequence[npt.NDArray[Any]], labels: Sequence[str]) -> bool:
    """Whether whole numbers in y and y_test are names of classes, as labels such as 3, 5, 8 are, and not their places.

    Raises InputError naming `where` where they may be either, and that makes a difference.
    """
    try:
        numbers = [int(label) for label in labels]
    except ValueError:
        return False
    if numbers == list(range(len(numbers))) or not arrays:
        return False
    held = {value for array in arrays for value in np.unique(array).tolist()}
    by_name, by_place = held <= set(numbers), held <= set(range(len(numbers)))
    if by_name and by_place and any(numbers[value] != value for value in map(int, held)):
        raise InputError(
            where,
            f"holds {_named([f'{value:g}' for value in sorted(held)])}, and the labels are {_named(labels)}: numbers "
            "may stand for names or for their places in this list",
            "Give the classes as text, or labels that are not numbers",
        )
    return by_name


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return shown + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
