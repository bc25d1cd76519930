"""Profiles: what a concrete part offers, as data (TOML), for the target that generates for its kind."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from .errors import InputError, printable
from .part import Profile
from .plugins.target import DescribesProfiles, targets
from .profile_fields import check_fields
from .system.regular_file import read_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Profile", "checked", "load_profile", "profile_names"]

_LARGEST_FILE = 2**20


def profile_names() -> list[str]:
    """Names of the profiles that ship with edgeml."""
    folder = resources.files("edgeml.targets") / "profiles"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """The profile called so, or the one in a `.toml` file of the user's; InputError where it is not sound."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        try:
            text = read_regular(path, _LARGEST_FILE).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(name_or_path, f"is not text in UTF-8 ({error})") from error
        return checked(_parse(text, path.stem, name_or_path), name_or_path)
    names = profile_names()
    if name_or_path not in names:
        raise InputError(
            f"target {name_or_path!r}", "is not known", f"Known: {', '.join(names)}; or pass a profile.toml of yours"
        )
    text = (resources.files("edgeml.targets") / "profiles" / f"{name_or_path}.toml").read_text(encoding="utf-8")
    return _parse(text, name_or_path, name_or_path)


def _parse(text: str, name: str, where: str) -> Profile:
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: wrong TOML, or a number past all that is read
        raise InputError(where, f"is not valid TOML ({printable(error)})") from error
    for key in ("kind", "description"):
        if not isinstance(values.get(key), str):
            raise InputError(where, f"a profile needs the text {key!r}, found {printable(repr(values.get(key)))}")
    rest = {key: value for key, value in values.items() if key not in ("kind", "description")}
    return Profile(name, values["kind"], values["description"], rest)


def checked(profile: Profile, where: str) -> Profile:
    """The profile, if its values are what the target for its kind takes; InputError naming `where` and the value.

    A target without `profile_fields` checks them itself.
    """
    target = targets(profile.kind)
    if isinstance(target, DescribesProfiles):
        check_fields(where, profile.values, target.profile_fields)
    return profile
