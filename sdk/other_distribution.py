"""Package indexes have another project called `edgeml`, whose files go into the same folder as this package's."""

from __future__ import annotations

from pathlib import Path

__all__ = ["said_of_other", "warn_of_other"]

_HERE = Path(__file__).parent


def said_of_other(package: Path = _HERE) -> str:
    """What is wrong and what to do, if the other project is installed over this package or under it; else "".

    package : the folder of `edgeml`. Metadata beside it named `edgeml-VERSION.dist-info` are the other project's: this
    one's are `edgeml_exact-…`.
    """
    others = sorted(package.parent.glob("edgeml-*.dist-info"))
    if not others:
        return ""
    version = others[0].name[len("edgeml-") : -len(".dist-info")]
    return (
        f"the distribution edgeml {version}, another project, is installed in the same folder ({package}). Each "
        "overwrites or removes files of the other. Keep one in an environment: pip uninstall -y edgeml edgeml-exact, "
        "then pip install edgeml-exact"
    )


def warn_of_other() -> None:
    """UserWarning if there is another project's package in this one's folder."""
    if said := said_of_other():
        import warnings

        warnings.warn(f"edgeml: {said}", stacklevel=2)
