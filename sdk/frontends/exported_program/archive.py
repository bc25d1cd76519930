"""A `.pt2` archive: an uncompressed zip file, its members read by name within bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from ...errors import InputError

__all__ = ["Archive"]

_MOST_MEMBERS = 20_000
_DIRECTORY_ENTRY = b"PK\x01\x02"


class Archive:
    """The members of a zip file as torch writes them: stored without compression, in one root folder or in none.

    Parameters
    ----------
    content : the zip file.
    where : what it is called in errors.

    Raises
    ------
    InputError : it is not a zip file, has too many, compressed or ambiguous members.
    """

    def __init__(self, content: bytes, where: str) -> None:
        self.where = where
        if content.count(_DIRECTORY_ENTRY) > _MOST_MEMBERS:
            raise InputError(where, f"is a zip file of more than {_MOST_MEMBERS} members")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
            raise InputError(
                where, f"is not a whole zip file ({error})", "A .pt2 file is what torch.export.save writes"
            ) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        root = _root(info.filename for info in self._zip.infolist())
        for info in self._zip.infolist():
            name = info.filename[len(root) :]
            if info.compress_type != zipfile.ZIP_STORED:
                raise InputError(
                    where, f"its member {info.filename!r} is compressed; torch.export.save compresses none"
                )
            if name in self._members:
                raise InputError(where, f"its member {info.filename!r} occurs twice")
            self._members[name] = info
        if sum(info.file_size for info in self._members.values()) > len(content):
            raise InputError(where, "its members overlap")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self, folder: str = "") -> list[str]:
        """The names of the members below `folder`, without the root folder."""
        return [name for name in self._members if name.startswith(folder)]

    def read(self, name: str, largest: int | None = None) -> bytes:
        """The content of a member of at most `largest` bytes."""
        if name not in self._members:
            raise InputError(self.where, f"has no member {name!r}", "A .pt2 file is what torch.export.save writes")
        info = self._members[name]
        if largest is not None and info.file_size > largest:
            raise InputError(self.where, f"its member {name!r} has {info.file_size} bytes; the most is {largest}")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, RuntimeError) as error:
            raise InputError(self.where, f"its member {name!r} cannot be read ({error})") from error


def _root(names: Iterable[str]) -> str:
    """The folder that all members lie in, with its slash; empty where there is none."""
    roots = {name.split("/", 1)[0] if "/" in name else "" for name in names}
    return f"{roots.pop()}/" if len(roots) == 1 and roots != {""} else ""
