"""The folder of a search: it belongs to one question, and to one process at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..errors import InputError
from ..system.files import read_json, write_beside
from ..system.regular_file import read_regular
from .settings import Settings

__all__ = ["data_digest", "search_folder"]

_QUESTION_FILE = "search.json"
_LARGEST_QUESTION = 2**20
_LARGEST_MODEL = 2**30


def data_digest(dataset: Dataset) -> str:
    """SHA-256 of all samples and answers."""
    whole = hashlib.sha256()
    for array in (dataset.x, dataset.y, dataset.x_test, dataset.y_test):
        if array is not None:
            whole.update(f"{array.dtype.str} {array.shape}".encode())
            whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


@contextmanager
def search_folder(output: Path, settings: Settings, digest: str, model: Any) -> Iterator[None]:
    """The search's folder, for this process alone; InputError where it holds another search, or one at work."""
    question: dict[str, Any] = {**settings.__dict__, "data": digest, "model": _model_digest(model)}
    question = json.loads(json.dumps(question))
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / ".lock").open("w")
    except OSError as error:
        raise InputError(str(output), f"cannot be written ({error.strerror or error})") from error
    with lock:
        _take(lock, output)
        _same_question(output, question)
        yield


def _same_question(output: Path, question: dict[str, Any]) -> None:
    """Write the question down, or hold it against the one that stands there."""
    path = output / _QUESTION_FILE
    if not path.exists():
        write_beside(path, (json.dumps(question, indent=2) + "\n").encode())
        return
    kept = read_json(path, _LARGEST_QUESTION, "Name another folder")
    same = isinstance(kept, dict)
    changed = sorted(key for key in question if not same or kept.get(key) != question[key])
    if changed:
        raise InputError(
            str(output),
            f"holds a search with other {', '.join(changed)}",
            "Name another folder, or repeat the options of that search to go on with it",
        )


def _take(lock: Any, output: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two searches in one folder are not kept apart there.
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(str(output), "another search is at work in this folder", "Wait for it, or end it") from error


def _model_digest(model: Any) -> str:
    if model is None:
        return ""
    path = Path(str(model).partition(":")[0])
    return hashlib.sha256(read_regular(path, _LARGEST_MODEL)).hexdigest() if path.is_file() else str(model)
