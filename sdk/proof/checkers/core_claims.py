"""What checkers of whole cores share: the bundle's files are read, and facts of modules are those that units need."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...network import Network
from .folded_core import Core, Instance
from .shipped import need_shipped
from .statements import check_file, need

__all__ = ["CoreClaims", "check_core"]


class CoreClaims:
    """The claims of a certificate of a core.

    network : what it must compute. said : the certificate. texts : the files of the core by their names. core : the
    instances of its Verilog.
    """

    def __init__(self, network: Network, certificate: dict[str, Any], texts: dict[str, str]) -> None:
        self.network, self.said, self.texts = network, certificate, texts
        need(certificate["core"] == f"rtl/{network.name}_core.v", "core", "is another")
        self.core = Core(f"{network.name}_core", texts)
        used = {fact for place in certificate["places"].values() for fact in place["facts"]}
        need(used == certificate["facts"].keys(), "facts", "are not those that places name")

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        raise NotImplementedError

    def count(self, name: str, channels: int) -> int:
        """How many channels of a place are said to be proved, if it has so many."""
        said = self.said["places"][name]
        whole = len(said["channels"]) == channels and set(said["channels"]) <= {"proved", "not proved", "refuted"}
        need(whole and said["proved"] == said["channels"].count("proved"), name, "counts wrongly")
        return int(said["proved"])

    def need_fact(self, name: str, unit: Instance, says: str, **numbers: int) -> None:
        """That a place has what is said of its unit, for the parameters that this has."""
        self.need_fact_of(name, unit.module, unit.parameters, says, numbers)

    def need_fact_of(
        self, name: str, module: str, parameters: dict[str, Any], says: str, numbers: dict[str, int]
    ) -> None:
        """That a place has a fact of a module among its files."""
        facts = [self.said["facts"][key] for key in self.said["places"][name]["facts"]]
        wanted = {"module": module, "parameters": parameters, "says": says, "numbers": numbers}
        need(wanted in facts, name, f"lacks the fact {says} of {module} with its parameters")
        need(f"{module}.v" in self.texts, name, "was proved of a module that is not among the artifacts")


def check_core(
    folder: Path, prover: str, kind: str, claims: Callable[[Network, dict[str, Any], dict[str, str]], CoreClaims]
) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle, a certificate of a core of some kind, by what follows its claims.

    Modules of the library must have the text that ships. Raises as `check_file`.
    """

    def follow(network: Network, files: dict[str, bytes], certificate: dict[str, Any]) -> dict[str, tuple[int, int]]:
        for path, content in files.items():
            need(re.fullmatch(r"rtl/[\w.]+", path) is not None, "artifact", f"{path!r} lies elsewhere")
            need_shipped(path, content)
        texts = {path.removeprefix("rtl/"): content.decode() for path, content in files.items()}
        return claims(network, certificate, texts).places()

    return check_file(folder, prover, kind, follow)
