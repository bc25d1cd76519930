"""Proofs of RTL units for ever, by the benches that the package ships (`targets/fpga/proof/rtl_library/benches`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeml.targets.fpga.proof.rtl_library.benches import bench_text
from edgeml.targets.fpga.proof.rtl_library.induction import prove_for_ever
from edgeml.targets.fpga.proof.rtl_library.symbolic_constants import module_text
from edgeml.targets.fpga.proof.rtl_library.ties import Parameters

from .unit import RTL, sources_of

__all__ = ["Parameters", "statuses"]


def statuses(
    name: str,
    cases: Sequence[Parameters],
    replaced: tuple[str, str] = ("", ""),
    memories: Mapping[str, bytes] | None = None,
) -> set[str]:
    """What comes of the proof of `edgeml_NAME` with each of these parameters.

    `replaced` is a fault to try: in the text of the module, what is there and what stands there instead. What stands in
    the bench for a part of the module is not read. `memories`: content of files that it reads, by name.
    """
    bench = bench_text(name)
    names = [file for file in sources_of(f"edgeml_{name}") if f"\nmodule {file.removesuffix('.v')} " not in bench]
    sources = {file: (RTL / file).read_bytes() for file in names} | dict(memories or {})
    text = sources[names[0]].decode()
    assert replaced[0] in text, f"{names[0]} has no longer: {replaced[0]}"
    sources[names[0]] = module_text(name, text.replace(*replaced).encode())
    return {outcome.status for outcome in prove_for_ever(name, bench, sources, cases)}
