"""What a bundle holds for FINN: the network as QONNX, and how FINN is to fold it."""

from __future__ import annotations

from pathlib import Path

from edgeml.errors import InputError, MissingTool
from edgeml.network import Network

from .folding import finn_units, folding_config, names_units
from .rules import check_model
from .writer import to_qonnx

__all__ = ["hand_off"]


def hand_off(network: Network, interval: int, part: str, folder: Path) -> str:
    """Write `qonnx/` into `folder` where the network can be said so, folded to `interval` clocks per frame on a part.

    `model.onnx`; `folding.json` for FINN's `folding_config_file`, and `folding_standalone_thresholds.json` for the same
    with FINN's option `standalone_thresholds`; neither of networks with tables or branches. Returns a sentence of it.
    """
    try:
        content = to_qonnx(network)
    except (InputError, MissingTool) as error:
        return f"not written: {error}"
    (folder / "qonnx").mkdir(parents=True, exist_ok=True)
    (folder / "qonnx" / "model.onnx").write_bytes(content)
    broken = [f"{result.rule} ({result.detail})" for result in check_model(content) if not result.passed]
    verdict = f"FINN's rules broken: {'; '.join(broken)}" if broken else "keeps all of FINN's rules"
    if not names_units(network):
        return f"written; takes integers, see its metadata; {verdict}; no foldings, as tables and joins have none"
    units = finn_units(network, interval, part)
    alone = finn_units(network, interval, part, standalone_thresholds=True)
    for name, chosen in {"folding.json": units, "folding_standalone_thresholds.json": alone}.items():
        (folder / "qonnx" / name).write_text(folding_config(chosen), encoding="utf-8")
    clocks = max(unit.clocks for unit in units)
    return f"written; takes integers, see its metadata; {verdict}; folded to {clocks} clocks per frame in FINN"
