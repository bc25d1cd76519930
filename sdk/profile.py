"""Profiles: what a concrete part offers, as data (TOML), for the target that generates for its kind."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import InputError, printable
from .meant_name import nearest_name
from .part import Profile
from .plugins.target import DescribesProfiles, targets
from .profile_fields import check_fields
from .system.regular_file import read_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Profile", "board_names", "checked", "load_profile", "profile_names"]

_LARGEST_FILE = 2**20
_PROFILES, _BOARDS = "profiles", "boards"


def profile_names() -> list[str]:
    """Names of the profiles of parts that ship with edgeml."""
    return _names(_PROFILES)


def board_names() -> list[str]:
    """Names of the boards that ship with edgeml: profiles of a part on a board, with its clock and its pins."""
    return _names(_BOARDS)


def _names(folder: str) -> list[str]:
    entries = (resources.files("edgeml.targets") / folder).iterdir()
    return sorted(entry.name[:-5] for entry in entries if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """The profile of the part or of the board called so, or the one in a `.toml` file of the user's.

    A profile that says `carries = "NAME"` has the values of that part, but for those that it gives itself. InputError
    where it is not sound.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        try:
            text = read_regular(path, _LARGEST_FILE).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(name_or_path, f"is not text in UTF-8 ({error})") from error
        return checked(_parse(text, path.stem, name_or_path), name_or_path)
    for folder in (_PROFILES, _BOARDS):
        if name_or_path in _names(folder):
            return _shipped(folder, name_or_path)
    known = [*profile_names(), *board_names()]
    near = nearest_name(name_or_path, known)
    meant = f"Did you mean {near}? 'edgeml targets' lists all" if near else f"Known: {', '.join(known)}"
    raise InputError(f"target {name_or_path!r}", "is not known", f"{meant}; or pass a profile.toml of yours")


def _shipped(folder: str, name: str) -> Profile:
    text = (resources.files("edgeml.targets") / folder / f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, name, name)


def _parse(text: str, name: str, where: str) -> Profile:
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: wrong TOML, or a number past all that is read
        raise InputError(where, f"is not valid TOML ({printable(error)})") from error
    for key in ("kind", "description"):
        if not isinstance(values.get(key), str):
            raise InputError(where, f"a profile needs the text {key!r}, found {printable(repr(values.get(key)))}")
    rest = {key: value for key, value in values.items() if key not in ("kind", "description", "carries")}
    if "carries" in values:
        rest = {**_carried(values["carries"], values["kind"], where).values, **rest}
    return Profile(name, values["kind"], values["description"], rest)


def _carried(part: Any, kind: str, where: str) -> Profile:
    """The part on a board."""
    if part not in profile_names():
        known = f"Known: {', '.join(profile_names())}"
        raise InputError(where, f"carries {printable(repr(part), 60)}, which is not a part", known)
    profile = _shipped(_PROFILES, part)
    if profile.kind != kind:
        raise InputError(where, f"is of kind {kind} and carries {part}, which is of kind {profile.kind}")
    return profile


def checked(profile: Profile, where: str) -> Profile:
    """The profile, if its values are what the target for its kind takes; InputError naming `where` and the value.

    A target without `profile_fields` checks them itself.
    """
    target = targets(profile.kind)
    if isinstance(target, DescribesProfiles):
        check_fields(where, profile.values, target.profile_fields)
    return profile
