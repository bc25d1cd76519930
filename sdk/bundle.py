"""A bundle: the folder that a conversion leaves, checked when loaded, never half-written."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .data.dataset import read_npy
from .errors import InputError, MissingTool
from .metrics import TargetMetrics
from .metrics.json_values import mapping
from .network import Monitored, Network, decisions, network_file
from .network.task import VALUES
from .part import Profile
from .plugins.executor import EXECUTORS, CompiledNetwork, Compiles, CountsChanges, Executor, RunsMonitor, WritesWaves
from .plugins.target import TARGETS
from .profile import checked
from .system.files import read_json
from .system.sealed_folder import check_files, describe_files
from .verification.kept_samples import integers_note, read_samples

__all__ = [
    "CONVERTED",
    "MANIFEST",
    "NETWORK",
    "REPORT",
    "SCHEMA_VERSION",
    "Bundle",
    "Result",
    "check_monitor",
    "load",
    "read_manifest",
    "seal",
]

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
NETWORK = "network.edgeml"
CONVERTED = "converted.edgeml"
REPORT = "report.html"
_LARGEST_MANIFEST = 2**24


@dataclass(frozen=True, eq=False)
class Result:
    """What running a bundle gives; `numpy.asarray(result)` and `result.integers` are the integers.

    Parameters
    ----------
    integers : int32 [samples, outputs].
    real : float64 of the same shape: (integers − zero_point) · scale.
    classes : int64 [samples], see `network.decisions`: argmax, or 0 and 1; empty where the network gives values.
    labels : the name of each sample's class, where the network has labels for classes; else empty.
    trace : integers of every layer that the executor can show, by node name; empty unless asked for.
    measures : what the executor measured (cycles, instructions …).
    monitored : what the network's monitor says of each sample, where it was asked for.
    """

    integers: npt.NDArray[np.int32]
    real: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]
    labels: tuple[str, ...] = ()
    trace: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    monitored: Monitored | None = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.integers, dtype=dtype) if copy or dtype is not None else self.integers

    def __len__(self) -> int:
        return len(self.integers)


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle on disk.

    Parameters
    ----------
    folder : where it lies.
    network : the integer network in `network.edgeml`, which the artifacts compute.
    manifest : the content of `bundle.json`.
    """

    folder: Path
    network: Network
    manifest: Mapping[str, Any]
    _executors: dict[str, Executor[Bundle]] = field(default_factory=dict, init=False, repr=False)
    """Those that `run` has found ready, by name: to find one takes much longer than a small network does."""

    @property
    def converted(self) -> Network:
        """The network from before what no output depends on was left out: what the trained model became, channel by
        channel. `network` itself where nothing was left out."""
        return network_file.read(self.converted_file) if self._reduced else self.network

    @property
    def converted_file(self) -> Path:
        """Where that network lies."""
        return self.folder / (CONVERTED if self._reduced else NETWORK)

    @property
    def _reduced(self) -> bool:
        return CONVERTED in self.manifest.get("files", {})

    def __repr__(self) -> str:
        verdicts = [row for row in self.manifest.get("verification", []) if row.get("status") != "unavailable"]
        exact = sum(row.get("status") == "exact" for row in verdicts)
        return (
            f"<Bundle {self.folder}: {self.form} for {self.manifest['target']['name']}, {self.network.input_size} → "
            f"{self.network.output_size}, {exact} of {len(verdicts)} verdicts exact>"
        )

    def _repr_html_(self) -> str:
        """The first screen of the report, for notebooks."""
        from .report import first_screen

        return first_screen(self.manifest, self.network)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def form(self) -> str:
        """quantized, spiking or tflite."""
        return str(self.manifest["form"])

    @property
    def profile(self) -> Profile:
        """The part that the bundle was made for, as it was described at that time."""
        target = self.manifest["target"]
        return Profile(target["name"], target["kind"], target["description"], target["values"])

    def words(self) -> set[str]:
        """By which words of `edgeml.executors` executors for it are found: its form, the kind of its target, the
        folders in it, and the kinds of its layers."""
        folders = {name.partition("/")[0] for name in self.manifest.get("files", {}) if "/" in name}
        return {self.form, self.profile.kind, *folders, *(node.layer.kind for node in self.network.nodes)}

    @property
    def target_metrics(self) -> TargetMetrics:
        """What the target said of what it made; what of it is not sound counts as not said."""
        return TargetMetrics.from_json(mapping(self.manifest.get("metrics")).get("target"))

    def golden(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The bundle's test vectors: input integers [vectors, inputs] and output integers [vectors, outputs]."""
        q, y = (read_npy(self.folder / "golden" / name) for name in ("inputs.npy", "outputs.npy"))
        q = self.network.check_input(q)
        if y.ndim != 2 or y.dtype.kind not in "iu" or y.shape != (len(q), self.network.output_size):
            raise InputError(f"{self.folder}/golden/outputs.npy", f"does not fit the inputs: {y.dtype} {y.shape}")
        if y.size and not (int(y.min()) >= -(2**31) and int(y.max()) < 2**31):
            raise InputError(f"{self.folder}/golden/outputs.npy", "holds integers past 32 bits, which no output has")
        return q, y.astype(np.int32)

    def samples(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
        """Real samples [samples, inputs] that the bundle keeps, and the trained model's outputs [samples, outputs]."""
        return read_samples(self.folder, self.manifest.get("files", {}), self.network)

    @cached_property
    def _read_samples(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
        return self.samples()

    def quantize(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Input integers for x [samples, inputs], or one sample: floats are quantized, integers taken as they are.

        Raises InputError where x is not numbers or does not fit.
        """
        try:
            x = np.asarray(x)
        except (ValueError, TypeError, RuntimeError) as error:  # the last two: of tensors that numpy cannot take
            raise InputError("input", f"must be numbers [samples, {self.network.input_size}] ({error})") from error
        if x.dtype.kind not in "biuf" or not x.ndim:
            found = f"{x.dtype} {list(x.shape)}"
            raise InputError("input", f"must be numbers [samples, {self.network.input_size}], found {found}")
        x = x.reshape(len(x), math.prod(x.shape[1:])) if x.ndim > 1 else x[None, :]
        return self.network.check_input(x) if x.dtype.kind in "iu" else self.network.quantizer.quantize(x)

    def run(
        self, x: npt.NDArray[Any], on: str = "golden", *, trace: bool = False, monitor: bool = False, **options: Any
    ) -> Result:
        """Run x [samples, inputs] on the executor `on`; floats are quantized first, integers taken as they are.

        monitor : whether the network's monitor is run, too (`Result.monitored`).
        options : of the executor; `waves`, a path, of one that simulates hardware (`verilator`): all signals over time;
            `activity`, of the same: `measures["activity"]` is its energy by how often signals change; `adapted`, of
            golden: what `network.adapting()` gave.

        Warns where integers may well be values that are not quantized yet: see `kept_samples.integers_note`.

        Raises
        ------
        InputError : x does not fit, there is no such executor, or it runs none of this bundle's artifacts.
        MissingTool : the executor cannot run here; the message names what to install.
        """
        q = self.quantize(x)
        if note := integers_note(self.network, lambda: self._read_samples, np.asarray(x)):
            warnings.warn(note, stacklevel=2)
        executor = self._executors.get(on) or self._executors.setdefault(on, self.executor(on))
        if options.get("waves") is not None:
            check_waves(on, executor, Path(options["waves"]))
        if options.get("activity") and not isinstance(executor, CountsChanges):
            raise InputError("option activity", f"executor {on!r} counts no changes of signals", "Use --on verilator")
        if monitor:
            check_monitor(on, executor, self.network)
            options = {**options, "monitor": True}
        execution = executor.run(self, q, trace=trace, options=options)
        classes = np.zeros(0, np.int64)
        if self.network.task != VALUES:
            classes = decisions(self.network, execution.outputs)
        names = self.network.output.labels if len(classes) else ()
        return Result(
            execution.outputs,
            self.network.output.real(execution.outputs),
            classes,
            tuple(names[index] for index in classes) if names else (),
            execution.trace,
            execution.measures,
            execution.monitored,
        )

    def compile(self, on: str = "native", **options: Any) -> CompiledNetwork:
        """What the executor `on` runs as a function for programs that call it often, in microseconds: input integers
        in, output integers out, in place and from any number of threads. See `plugins.CompiledNetwork`.

        options : of the executor, as for `run`. Raises what `run` raises; InputError where `on` cannot be called so.
        """
        executor = self.executor(on)
        if not isinstance(executor, Compiles):
            raise InputError(f"executor {on!r}", "gives no function that can be called", "Use native")
        return executor.compile(self, options)

    def executor(self, name: str) -> Executor[Bundle]:
        """The executor called `name`, ready to run this bundle; InputError or MissingTool if it cannot."""
        executor = EXECUTORS.load(name)
        if not executor.applies(self):
            raise InputError(f"executor {name!r}", f"runs nothing that the bundle {self.folder} holds")
        if missing := executor.missing(self):
            raise MissingTool(f"executor {name!r}", "cannot run here", missing)
        return executor


def check_monitor(name: str, executor: Executor[Bundle], network: Network) -> None:
    """InputError where there is no monitor, or an executor does not run it."""
    if network.monitor is None:
        raise InputError("option monitor", "the bundle's network has no monitor", "Convert with --monitor RATE")
    if not isinstance(executor, RunsMonitor):
        raise InputError("option monitor", f"executor {name!r} does not run the monitor", "Use --on golden")


def check_waves(name: str, executor: Executor[Bundle], path: Path) -> None:
    """InputError where an executor cannot write all signals over time into a file of this name."""
    where = f"option waves={path}"
    if not isinstance(executor, WritesWaves):
        raise InputError(where, f"executor {name!r} writes no signals over time", "Use --on verilator")
    if path.suffix[1:].lower() not in executor.wave_formats:
        raise InputError(where, f"must end in {' or '.join(f'.{end}' for end in executor.wave_formats)}")
    if not path.parent.is_dir():
        raise InputError(where, f"there is no folder {path.parent}")


def load(path: str | os.PathLike[str]) -> Bundle:
    """The bundle in a folder: its manifest read, every file's SHA-256 compared, the network and the profile checked.

    Raises InputError naming the file that is missing, changed, unsound, a link, or not listed in the manifest.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    listed = manifest["files"]
    check_files(folder, listed, MANIFEST)
    where = str(folder / MANIFEST)
    if NETWORK not in listed:
        raise InputError(where, f"does not list {NETWORK}")
    network = network_file.read(folder / NETWORK)
    if manifest.get("model_hash") != network_file.model_hash(network):
        raise InputError(where, f"its model_hash is not that of {NETWORK}", "Convert again")
    bundle = Bundle(folder, network, manifest)
    if bundle.profile.kind in TARGETS.all():
        checked(bundle.profile, where)
    return bundle


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `bundle.json` in a folder says, of the right kinds; its files are not looked at. InputError where it is not
    sound."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise InputError(str(folder), "is not a folder", "Pass the folder that 'edgeml convert' wrote")
    if not path.exists():
        raise InputError(str(folder), f"is not a bundle: it holds no {MANIFEST}")
    manifest = read_json(path, _LARGEST_MANIFEST, links=False)
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA_VERSION:
        found = manifest.get("schema") if isinstance(manifest, dict) else manifest
        raise InputError(str(path), f"schema {found!r}; this edgeml reads {SCHEMA_VERSION}")
    target = manifest.get("target")
    sound = (
        isinstance(manifest.get("form"), str)
        and isinstance(target, dict)
        and all(isinstance(target.get(key), str) for key in ("name", "kind", "description"))
        and isinstance(target.get("values"), dict)
        and isinstance(manifest.get("files"), dict)
        and all(
            isinstance(entry, dict) and type(entry.get("bytes")) is int and isinstance(entry.get("sha256"), str)
            for entry in manifest["files"].values()
        )
        and isinstance(manifest.get("metrics", {}), dict)
    )
    if not sound:
        raise InputError(str(path), "lacks form, target, files or metrics, or they are of a wrong kind")
    return manifest


def seal(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Write `bundle.json` into `folder`: `manifest` with the schema version, the network's hash, and every file's
    size and SHA-256."""
    files = describe_files(folder, MANIFEST)
    path = folder / NETWORK
    identity = {"model_hash": network_file.model_hash(network_file.read(path))} if NETWORK in files else {}
    sealed = {"schema": SCHEMA_VERSION, **manifest, **identity, "files": files}
    (folder / MANIFEST).write_text(json.dumps(sealed, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return sealed
