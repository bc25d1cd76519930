"""The two kinds of Keras files, as what both hold: a configuration, the version of Keras, the weights.

`.keras` is a zip file of config.json, metadata.json and model.weights.h5 (Keras 3 and 2.12 on); `.h5` is one HDF5 file
with the configuration as an attribute and weights by the names of layers (Keras 1 to 3). Neither is run or unpickled.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...errors import InputError, printable
from ...system.hdf5_file import MOST_BYTES, Hdf5File, opened
from .weights import LegacyWeights, NativeWeights, Weights

__all__ = ["KerasFile", "opened_keras"]

HDF5_BEGIN = b"\x89HDF\r\n\x1a\n"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_MOST_MEMBERS = 1000
_LARGEST_CONFIG = 2**24
_MOST_PACKING = 1100
_WHOLE = "Save the whole model, model.save('model.keras')"


@dataclass(frozen=True)
class KerasFile:
    """What a file says.

    Parameters
    ----------
    config : of the model, as Keras serializes it: class_name, config, module.
    version : of the Keras that wrote it, "" where it does not say.
    weights : those of the model's layers.
    """

    config: dict[str, Any]
    version: str
    weights: Weights


@contextmanager
def opened_keras(content: bytes, where: str) -> Iterator[KerasFile]:
    """The Keras file of these bytes, of whichever kind; its weights can be read within the block.

    Raises
    ------
    InputError : it is neither kind, is damaged, claims too much, or holds weights without a model.
    """
    if content.startswith(HDF5_BEGIN):
        with opened(content, where, "Keras file") as file:
            yield _legacy(file)
        return
    members = _Members(content, where)
    config = _json(members.read("config.json", _LARGEST_CONFIG), f"{where}, config.json")
    metadata = _json(members.read("metadata.json", _LARGEST_CONFIG), f"{where}, metadata.json")
    weights = members.read("model.weights.h5", MOST_BYTES)
    with opened(weights, f"{where}, model.weights.h5", "file of weights") as file:
        yield KerasFile(config, str(metadata.get("keras_version", "")), NativeWeights(file, file.root))


def _legacy(file: Hdf5File) -> KerasFile:
    text = file.text(file.root, "model_config")
    if text is None:
        if file.member(file.root, "layers") is not None or "layer_names" in file.root.attrs:
            raise InputError(file.where, "holds weights only, no model that says how they are computed with", _WHOLE)
        raise InputError(file.where, "is HDF5, but not a Keras model (it has no model_config)", _WHOLE)
    if len(text) > _LARGEST_CONFIG:
        raise InputError(file.where, f"has a configuration of more than {_LARGEST_CONFIG} characters")
    weights = file.group(file.root, "model_weights")
    if weights is None:
        raise InputError(file.where, "holds no weights (no group model_weights)", _WHOLE)
    version = file.text(file.root, "keras_version") or ""
    return KerasFile(_json(text.encode(), f"{file.where}, model_config"), version, LegacyWeights(file, weights))


def _json(content: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(where, f"is not sound JSON ({printable(error)})") from error
    if not isinstance(found, dict):
        raise InputError(where, "is not a JSON object", _WHOLE)
    return found


class _Members:
    """The members of the zip file, by name; sizes are looked at before anything is unpacked."""

    def __init__(self, content: bytes, where: str) -> None:
        self._where = where
        if content.count(_DIRECTORY_ENTRY) > _MOST_MEMBERS:
            raise InputError(where, f"is a zip file of more than {_MOST_MEMBERS} members")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
            raise InputError(
                where, f"is neither a zip file nor HDF5, which Keras writes ({printable(error)})", _WHOLE
            ) from error

    def read(self, name: str, largest: int) -> bytes:
        """The content of a member of at most `largest` bytes."""
        found = [info for info in self._zip.infolist() if info.filename == name]
        if len(found) != 1:
            raise InputError(self._where, f"has {len(found) or 'no'} members {name!r}, where Keras writes one", _WHOLE)
        (info,) = found
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise InputError(self._where, f"its member {name!r} is packed in a way that Keras does not write")
        if info.file_size > min(largest, _MOST_PACKING * max(info.compress_size, 1)):
            raise InputError(self._where, f"its member {name!r} claims {info.file_size} bytes; the most is {largest}")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, EOFError, RuntimeError) as e:
            raise InputError(self._where, f"its member {name!r} cannot be read ({printable(e)})") from e
