"""The fixed set: what is converted, and for what; each gives its files by name."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

import edgeml
from edgeml import plugins
from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Network, network_file
from edgeml.profile import load_profile

from . import networks

Files = Mapping[str, bytes]

_OF_THE_MACHINE = ("report.html", "bundle.json")
_MANIFEST = ("name", "form", "target", "options", "model_hash", "metrics", "notes", "vectors")
"""What of `bundle.json` is compared: the rest are versions of tools, sums of files, and times."""
_LEAKY_WITH_C = (*range(3), 4, 5, 7, 8, *range(11, 15), 17, *range(20, 26), *range(27, 35), 36, 37, *range(41, 55))
"""Seeds of models that there is C for: some choices exclude it."""


def _below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, default=str).encode()


def emitted(network: Network, part: str, options: Mapping[str, Any]) -> Files:
    """What the part's target makes of an integer network, with its metrics and the network's own file."""
    profile = load_profile(part)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        metrics = plugins.targets(profile.kind).emit(network, profile, folder, options)
        files = _below(folder)
    return {"network.edgeml": network_file.to_bytes(network), "metrics.json": _json(metrics), **files}


def converted(model: torch.nn.Module, form: str, part: str, options: Mapping[str, Any]) -> Files:
    """The whole bundle of a float model, as a user gets it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        edgeml.convert(
            model, to=form, target=part, data=networks.samples(), output=folder, name="model", options=options
        )
        files = _below(folder)
    manifest = json.loads(files["bundle.json"])
    kept = {name: content for name, content in files.items() if name not in _OF_THE_MACHINE}
    return {**kept, "manifest.json": _json({key: manifest[key] for key in _MANIFEST})}


def leaky_c() -> Files:
    """The C of many networks of neurons over time, by their seeds."""
    files: dict[str, bytes] = {}
    for seed in _LEAKY_WITH_C:
        made = emitted(networks.leaky(seed), "host", {})
        files.update({f"{seed}/{name}": made[name] for name in ("network.edgeml", "c/classic.c", "c/classic.h")})
    return files


def conversions() -> Iterator[tuple[str, Callable[[], Files]]]:
    """Each conversion by name."""
    two = networks.thresholds()
    for part in ("host", "cortex-m0plus", "cortex-m4", "cortex-m55", "rv32imc"):
        yield f"thresholds 2 bits, {part}", partial(emitted, two, part, {})
    for bits in (1, 4, 8):
        yield f"thresholds {bits} bits, cortex-m4", partial(emitted, networks.thresholds(bits), "cortex-m4", {})
    for part, options in (
        ("xczu7ev", {"architecture": "folded"}),
        ("xczu7ev", {"architecture": "unrolled", "register_every": 2}),
        ("xczu7ev", {"frames_per_second": 1e6}),
        ("ice40-up5k", {"goal": "area", "argmax": "true"}),
        ("ecp5-25k", {"architecture": "unrolled", "argmax": "true"}),
        ("xc7a35t", {"goal": "latency"}),
    ):
        asked = " ".join(f"{key}={value}" for key, value in options.items())
        yield f"thresholds 2 bits, {part} {asked}", partial(emitted, two, part, options)
    for rounding in networks.ROUNDINGS:
        network = networks.int8(rounding)
        yield f"int8 {rounding}, cortex-m4", partial(emitted, network, "cortex-m4", {})
        for architecture in ("folded", "unrolled"):
            options = {"architecture": architecture}
            yield f"int8 {rounding}, xczu7ev {architecture}", partial(emitted, network, "xczu7ev", options)
    chain = networks.thresholds(residual=False)
    for encoding in ("unary", "sar", "ttfs", "graded", "stbif"):
        spikes = to_spikes(chain, encoding)
        yield f"spikes {encoding}, host", partial(emitted, spikes, "host", {})
        yield f"spikes {encoding}, xczu7ev folded", partial(emitted, spikes, "xczu7ev", {"architecture": "folded"})
    for encoding in ("unary", "ttfs", "graded"):
        options = {"architecture": "unrolled"}
        yield f"spikes {encoding}, ecp5-85k unrolled", partial(emitted, to_spikes(chain, encoding), "ecp5-85k", options)
    yield "spikes graded, akida1", partial(emitted, to_spikes(chain, "graded"), "akida1", {})
    yield "leaky neurons over time, host", leaky_c
    relu, tanh, hard = (networks.torch_mlp(kind) for kind in (torch.nn.ReLU, torch.nn.Tanh, torch.nn.Hardtanh))
    calibrated = {"bits": 2, "epochs": 0}
    yield "float to quantized, host", partial(converted, relu, "quantized", "host", calibrated)
    yield "float with hardtanh to quantized, host", partial(converted, hard, "quantized", "host", {"epochs": 0})
    yield "float to tflite, cortex-m4", partial(converted, relu, "tflite", "cortex-m4", {"epochs": 0})
    yield "float with tanh to tflite, host", partial(converted, tanh, "tflite", "host", {"epochs": 0})
    spiking = {"bits": 2, "epochs": 0, "encoding": "unary"}
    yield "float to spiking, loihi2", partial(converted, relu, "spiking", "loihi2", spiking)
