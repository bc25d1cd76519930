"""convert(): a trained model in, a verified bundle out."""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import __version__, plugins
from .bundle import NETWORK, REPORT, Bundle, load, seal, unfinished_folder
from .data import Dataset, as_dataset, load_dataset, to_npy
from .errors import CheckFailed, InputError, missing_package
from .frontends.snn import Snn
from .network import Network, argmax, simulate
from .network import file as network_file
from .profile import Profile, load_profile
from .report import confusion, render
from .verify import Verdict, verify

if TYPE_CHECKING:
    from .frontends.mlp import Mlp

__all__ = ["convert"]

MOST_DATA_VECTORS = 512
RANDOM_VECTORS = 62
"""Test vectors of a bundle: held-back samples, seeded random integers, and the two corners of the input range."""


def _silent(stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
    return None


def convert(
    model: Any,
    *,
    to: str,
    target: str,
    data: Any = None,
    output: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    example: Any = None,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    progress: plugins.Progress = _silent,
    announce: Callable[[str], None] = lambda stage: None,
    remark: Callable[[str], None] = lambda line: None,
) -> Bundle:
    """Convert a trained model into a bundle, and verify it.

    Parameters
    ----------
    model : a path (`.pt2`, `.onnx`, `.edgeml`, `module.py:factory` …) or a torch `nn.Module`.
    to : the form: `quantized`, `spiking`, `tflite`, or one that a plugin adds.
    target : the name of a profile, or the path of a profile.toml.
    data : a path (`.npz`, `.npy`, `.csv`), a mapping of arrays (`x`, `y` …), or an array of samples.
    output : the bundle's folder; default `build/<name>`.
    weights : `.safetensors` for a `module.py:factory`.
    example : an example input [batch, features …] of an `nn.Module` that has to be traced and whose input cannot be
        guessed from its layers.
    name : letters, digits and underscores: the prefix of generated code; default from the model.
    options : of the converter and the target, by name, e.g. {"bits": 2, "epochs": 30}.
    progress, announce, remark : called while work goes on (see `plugins.Progress`), before each stage, and with what
        is worth a line but no part of the bundle, such as how long a tool took.

    Raises
    ------
    InputError : the model, the data or an option is wrong.
    CheckFailed : a design rule of the part is broken, or an artifact is not exact; no bundle is left.
    MissingTool : something that this conversion needs is not installed.
    """
    options = {key: value for key, value in (options or {}).items() if value is not None}
    profile = load_profile(target)
    hardware = plugins.targets(profile.kind)
    dataset = _dataset(data)
    announce("reading the model")
    source = _source(model, weights, example, dataset, name)
    converter = plugins.converters(to)
    target_options = _take(options, getattr(hardware, "option_names", ()))
    if unknown := sorted(set(options) - set(converter.option_names) - set(target_options)):
        known = ", ".join(sorted({*converter.option_names, *getattr(hardware, "option_names", ())}))
        raise InputError(
            f"option {unknown[0]!r}", f"is not one of form {to} on target {profile.name}", f"Known: {known}"
        )
    if isinstance(source, Snn) and to != "spiking":
        raise InputError(f"model {source.name}", f"is a spiking network; form {to} takes none", "Use --to spiking")
    if isinstance(source, Network):
        conversion = _adopted(model, source, converter, to, dataset, _take(options, converter.option_names))
    else:
        announce(f"converting to {to}")
        try:
            conversion = converter.convert(source, dataset, _take(options, converter.option_names), progress)
        except ModuleNotFoundError as error:
            raise missing_package(f"form {to}", error) from error
    network = conversion.network
    _check_rules(hardware, network, profile)
    final = Path(output) if output is not None else Path("build") / network.name
    with unfinished_folder(final) as folder:
        announce(f"writing for {profile.name}")
        for path, content in conversion.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        network_file.write(network, folder / NETWORK)
        _write_golden(folder, network, dataset)
        metrics = dict(conversion.metrics)
        if dataset is not None and dataset.y_test is not None:
            metrics["confusion"] = confusion(network, dataset.x_test, dataset.y_test)
        told = _told(hardware.emit, announce=announce, remark=remark)
        metrics["target"] = dict(hardware.emit(network, profile, folder, target_options, **told))
        manifest: dict[str, Any] = {
            "name": network.name,
            "edgeml": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "form": to,
            "target": {
                "name": profile.name,
                "kind": profile.kind,
                "description": profile.description,
                "values": dict(profile.values),
            },
            "options": dict(options),
            "model_hash": network_file.model_hash(network),
            "metrics": metrics,
            "notes": list(conversion.notes),
        }
        sealed = seal(folder, manifest)
        unverified = Bundle(folder, network, sealed)
        verdicts = verify(unverified, announce=lambda executor: announce(f"verifying on {executor}"))
        _refuse_inexact(verdicts)
        manifest["verification"] = [verdict.as_json() for verdict in verdicts]
        (folder / REPORT).write_text(render(manifest, network, unverified.golden()[0]), encoding="utf-8")
        seal(folder, manifest)
    return load(final)


def _take(options: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key in names}


def _told(call: Callable[..., Any], **listeners: Callable[[str], None]) -> dict[str, Callable[[str], None]]:
    """Those of the listeners that `call` has a parameter for."""
    parameters = inspect.signature(call).parameters
    return {name: listener for name, listener in listeners.items() if name in parameters}


def _dataset(data: Any) -> Dataset | None:
    if data is None or isinstance(data, Dataset):
        return data
    if isinstance(data, (str, os.PathLike)):
        return load_dataset(Path(data))
    return as_dataset(data if isinstance(data, Mapping) else {"x": np.asarray(data)})


def _source(model: Any, weights: Any, example: Any, dataset: Dataset | None, name: str | None) -> Mlp | Network:
    from .frontends import load_model

    source = load_model(model, weights=weights, example=example, name=name)
    # A spiking model takes samples over time too: one feature per step and channel.
    fits = source.takes if isinstance(source, Snn) else lambda features: source.input_size == features
    if dataset is not None and not fits(dataset.features):
        raise InputError(
            "data", f"has {dataset.features} features per sample; model {source.name} takes {source.input_size}"
        )
    return source


def _adopted(
    model: Any,
    network: Network,
    converter: plugins.Converter,
    form: str,
    dataset: Dataset | None,
    options: dict[str, Any],
) -> plugins.Conversion:
    """An integer network in the form asked for: as the converter adopts it, else as it is if its layers allow."""
    adopt = getattr(converter, "adopt", None)
    conversion: plugins.Conversion | None = adopt(model, network, dataset, options) if adopt else None
    if conversion is None:
        known = getattr(converter, "layer_kinds", None)
        foreign = [node for node in network.nodes if known is not None and node.layer.kind not in known]
        if foreign:
            raise InputError(
                f"layer {foreign[0].name}",
                f"is of kind {foreign[0].layer.kind}, which form {form} has not",
                "Convert the trained model, not the integer network made from it",
            )
        if options:
            raise InputError(f"option {next(iter(options))!r}", "has no meaning: the model is integers already")
        conversion = plugins.Conversion(network, notes=("The model is an integer network already: taken as it is.",))
    if dataset is None or dataset.y_test is None or "accuracy" in conversion.metrics:
        return conversion
    share = {"integer": accuracy(conversion.network, dataset.x_test, dataset.y_test)}
    return replace(conversion, metrics={**conversion.metrics, "accuracy": share})


def _check_rules(hardware: plugins.Target, network: Network, profile: Profile) -> None:
    broken = [result for result in hardware.rules(network, profile) if not result.passed]
    if broken:
        lines = [
            f"{f'layer {result.layer}: ' if result.layer else ''}{result.rule}: {result.detail}"
            + (f" ({result.remedy})" if result.remedy else "")
            for result in broken
        ]
        raise CheckFailed(f"target {profile.name}", "the network breaks its rules:\n  " + "\n  ".join(lines))


def _write_golden(folder: Path, network: Network, dataset: Dataset | None) -> None:
    """Test vectors: held-back samples where there are any, seeded random integers, and the corners."""
    quantizer = network.quantizer
    generator = np.random.default_rng(0)
    shape = (RANDOM_VECTORS, network.input_size)
    parts = [
        generator.integers(quantizer.low, quantizer.high, shape, endpoint=True, dtype=np.int32),
        np.full((1, network.input_size), quantizer.low, np.int32),
        np.full((1, network.input_size), quantizer.high, np.int32),
    ]
    if dataset is not None:
        parts.insert(0, quantizer.quantize(dataset.x_test[:MOST_DATA_VECTORS]))
    q = np.concatenate(parts)
    (folder / "golden").mkdir()
    small = np.int8 if quantizer.signed else np.uint8
    y = simulate(network, q)
    (folder / "golden" / "inputs.npy").write_bytes(to_npy(q.astype(small)))
    (folder / "golden" / "outputs.npy").write_bytes(to_npy(y))


def _refuse_inexact(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.status in ("mismatch", "error"):
            found = f"{verdict.mismatches} of {verdict.vectors} vectors differ, first {verdict.first_mismatch}"
            problem = found if verdict.status == "mismatch" else verdict.detail
            raise CheckFailed(
                f"executor {verdict.name}", f"does not compute the golden integers: {problem}", "No bundle was written"
            )


def accuracy(network: Network, x: npt.NDArray[Any], y: npt.NDArray[np.int64]) -> float:
    """Share of samples x [samples, features] whose argmax is their class y [samples]."""
    return float(np.mean(argmax(simulate(network, network.quantizer.quantize(x))) == y))
