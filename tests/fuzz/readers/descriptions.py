"""What describes: profiles, fronts of a search, designs."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .. import mutators
from .networks import classic, small
from .reader import Reader


def _profile_seeds() -> list[bytes]:
    from edgeml.profile import load_profile, profile_names

    seeds = []
    for name in profile_names():
        profile = load_profile(name)
        values = {"kind": profile.kind, "description": profile.description, **profile.values}
        seeds.append(json.dumps(values).encode())
    return seeds


def _damaged_profile(content: bytes, chance: random.Random) -> bytes:
    text = _toml(mutators.tree(json.loads(content), chance))
    return (mutators.text_of(text, chance) if chance.randrange(8) == 0 else text).encode("utf-8", "replace")


def _toml(values: Any) -> str:
    if not isinstance(values, dict):
        return "x = 1"

    def said(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(said, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{json.dumps(str(key))} = {said(each)}' for key, each in value.items())}}}"
        return str(value) if isinstance(value, float) else json.dumps(value) if value is not None else '"none"'

    return "".join(f"{json.dumps(str(key))} = {said(value)}\n" for key, value in values.items())


def _read_profile(path: Path) -> Any:
    from edgeml import plugins
    from edgeml.profile import load_profile

    profile = load_profile(str(path))
    network = small() if profile.kind != "neuromorphic" else classic()
    return plugins.targets(profile.kind).rules(network, profile)


def _front_seeds() -> list[bytes]:
    point: dict[str, Any] = {
        "number": 3,
        "values": {"accuracy": 0.9, "luts": 1200.0},
        "estimates": {"luts": 1200.0, "latency_us": 1.5},
        "quality": {"validation": {"accuracy": 0.9, "macro_recall": 0.8}, "test": None},
        "candidate": {
            "target": "xczu7ev",
            "form": "quantized",
            "hidden": [8, 4],
            "weight_bits": [2, 2, 4],
            "act_bits": [2, 2],
            "input_bits": 8,
            "options": {"architecture": "folded"},
        },
        "model": "points/3/network.edgeml",
        "command": "edgeml convert …",
        "baseline": False,
    }
    front = {
        "schema": 1,
        "target": ["xczu7ev"],
        "data": {"file": "d.npz", "sha256": "0" * 64, "labels": ["a", "b"]},
        "seed": 0,
        "objectives": [
            {"name": "accuracy", "direction": "maximize", "unit": "%"},
            {"name": "luts", "direction": "minimize", "unit": ""},
        ],
        "constraints": ["luts <= 11520"],
        "budgets": {"xczu7ev": {"luts": 230400}},
        "trials": {"finished": 3, "stopped_early": 1, "too_large": 0, "failed": 0},
        "seconds": 12.5,
        "sensitivity": {"layers": [{"name": "a", "weights": 9, "trace": 0.5, "perturbation": {"2": 0.1, "4": 0.01}}]},
        "points": [point],
        "baselines": [{**point, "number": 9, "baseline": True}],
        "others": [{"number": 4, "values": {"accuracy": 0.5, "luts": 100.0}, "stopped": "dominated"}],
    }
    return [json.dumps(front).encode()]


def _read_front(path: Path) -> Any:
    from edgeml.explore.front import FRONT, read_front
    from edgeml.report import render_exploration

    folder = path.parent / "front"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / FRONT)
    return render_exploration(read_front(folder))


def _design_seeds() -> list[bytes]:
    from edgeml.profile import load_profile
    from edgeml.targets.fpga import FpgaTarget
    from edgeml.targets.fpga.design import DESIGN_FILE

    seeds = []
    for architecture in ("folded", "unrolled"):
        with tempfile.TemporaryDirectory() as folder:
            FpgaTarget().emit(small(), load_profile("ecp5-25k"), Path(folder), {"architecture": architecture})
            seeds.append((Path(folder) / "rtl" / DESIGN_FILE).read_bytes())
    return seeds


def _read_design(path: Path) -> Any:
    from edgeml.targets.fpga.design import DESIGN_FILE, build, read_design

    folder = path.parent / "design"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(path, folder / DESIGN_FILE)
    return build(small(), read_design(folder, small()))


READERS: dict[str, Reader] = {
    "profile": Reader("toml", _profile_seeds, _damaged_profile, _read_profile),
    "front": Reader("json", _front_seeds, mutators.json_text, _read_front),
    "design": Reader("json", _design_seeds, mutators.json_text, _read_design),
}
