"""convert(): a trained model in, a verified bundle out."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import plugins
from .allocation.budget import Budget, read_budget
from .alternatives import check_forms, other_designs, other_forms
from .bundle import CONVERTED, NETWORK, REPORT, Bundle, load, seal
from .data.checks import WARNING, data_notes
from .data.dataset import Dataset, to_npy
from .errors import CheckFailed, InputError, missing_package
from .frontends.mlp import Mlp
from .frontends.snn import Snn
from .inputs import Inputs, read_inputs
from .judging import fidelity
from .judging.asked_monitor import asked_monitor
from .judging.monitor_option import MONITOR
from .judging.scores import answers_of, scores
from .metrics import Alternative
from .network import Network, network_file, simulate
from .network.reduction import kept_channels, left_out, reduced
from .network.task import BINARY
from .options import check_options
from .options.installed import form_owner, installed_owners, target_owner
from .plugins import Listener
from .profile import Profile, load_profile
from .report import confusion, render
from .system import caller_state
from .system.output_folder import check_output, unfinished_folder
from .system.time_limit import time_limit as time_limits
from .vectors import MOST_DATA_VECTORS, VectorSet, derive_vectors
from .verification import coverage
from .verification.kept_samples import write_samples
from .verification.verdict import Verdict
from .verification.verify import run_executors
from .version import __version__

__all__ = ["convert"]


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
    task: str | None = None,
    labels: str | Sequence[str] = (),
    split: str | None = None,
    require: Sequence[str] = (),
    strict: bool = False,
    time_limit: float | None = None,
    budget: str | None = None,
    monitor: float | None = None,
    beside: Sequence[str] = (),
    progress: plugins.Progress = _silent,
    announce: Callable[[str], None] = lambda stage: None,
    remark: Callable[[str], None] = lambda line: None,
) -> Bundle:
    """Convert a trained model into a bundle, and verify it.

    Parameters
    ----------
    model : a path (`.pt2`, `.onnx`, `.keras`, `.edgeml`, `module.py:factory` …) or a torch `nn.Module`.
    to, target : the form (`quantized`, `spiking`, `tflite` …); a profile's name, or the path of a profile.toml.
    data : a path (`.npz`, `.csv`, `.parquet` …), or arrays, frames and loaders: see `data.given.arrays_of`.
    output : the bundle's folder; default `build/<name>`.
    weights, example, name : see `frontends.load_model`; the name is the prefix of generated code, too.
    options : of the converter and the target, by name, e.g. {"bits": 2, "epochs": 30}; see `edgeml convert --help`.
    task, labels, split : what is decided, what classes are called, what is held back: see `inputs.read_inputs`.
    strict : refuse integers that are further from the float model than their bits explain (see `fidelity`).
    require : executors, by name, that must run to their end when the bundle is verified.
    budget, monitor : the most of one cost, `luts=700` (`allocation.within_budget`); false alarms (`network.monitor`).
    beside : other forms that the model is converted to for the same target, by their defaults, for the report alone.
    time_limit : seconds that each call of a tool (compiler, simulator …) may take, instead of the tools' own limits.
    progress, announce, remark : called while work goes on, before each stage, and with lines beside the bundle.

    An executor that fails says nothing of the artifact: the bundle is kept, and its `verification` tells of it.
    Raises InputError (the model, the data, an option, the output), CheckFailed (a rule is broken, an artifact is not
    exact, or `strict` is), ToolFailed (of a tool that makes an artifact): no bundle is left then; MissingTool if
    something is not installed, or one of `require` did not run: the bundle is kept.
    """
    order = _order(to, target, options or {}, strict, budget, monitor, beside, progress, Listener(announce, remark))
    coverage.check_names(require)
    if output is not None:
        check_output(Path(output))
    told: dict[str, Any] = {"weights": weights, "example": example, "name": name, "task": task}
    with caller_state.preserved(model), time_limits(time_limit):
        model = caller_state.ordinary(model)
        announce("reading the model")
        inputs = read_inputs(model, data, **told, labels=labels, split=split)
        conversion, again = _converted(order, model, inputs), partial(_in_other_form, order, target, model, inputs)
        bundle, verdicts = _written(order, inputs, conversion, output, other_forms(beside, again, announce))
    coverage.require(verdicts, require)
    return bundle


def _in_other_form(order: _Order, target: str, model: Any, inputs: Inputs, form: str, folder: Path) -> Bundle:
    """A bundle of what was read in `form` for the same target, whose options it keeps."""
    other = _order(form, target, order.target_options, False, None, None, (), order.progress, order.listener)
    return _written(other, inputs, _converted(other, model, inputs), folder)[0]


@dataclass(frozen=True, eq=False)
class _Order:
    """What is asked for, checked: form and target with the options of each, and who is told of the work."""

    form: str
    profile: Profile
    converter: plugins.Converter
    hardware: plugins.Target
    given: Mapping[str, Any]
    form_options: dict[str, Any]
    target_options: dict[str, Any]
    strict: bool
    budget: Budget | None
    monitor: float | None
    beside: Sequence[str]
    progress: plugins.Progress
    listener: Listener


def _order(
    form: str,
    target: str,
    options: Mapping[str, Any],
    strict: bool,
    budget: str | None,
    monitor: float | None,
    beside: Sequence[str],
    progress: plugins.Progress,
    listener: Listener,
) -> _Order:
    check_forms(form, beside)
    profile = load_profile(target)
    hardware, converter = plugins.targets(profile.kind), plugins.converters(form)
    form_takes, target_takes = form_owner(form), target_owner(profile.kind)
    given = check_options(options, (form_takes, target_takes), installed_owners)
    own = form_takes.own(given), target_takes.own(given)
    asked = None if budget is None else read_budget(budget)
    rate = None if monitor is None else float(MONITOR.meant(monitor))
    return _Order(
        form, profile, converter, hardware, given, *own, strict, asked, rate, tuple(beside), progress, listener
    )


def _converted(order: _Order, model: Any, inputs: Inputs) -> plugins.Conversion:
    """The integer network in the form asked for, with notes, held against the float model and the part's rules."""
    order.listener.announce(f"converting to {order.form}")
    conversion = _in_form(order, model, inputs)
    checked = inputs.source if isinstance(inputs.source, Mlp) else conversion.network
    notes = (*data_notes(checked, inputs.data), *inputs.notes, *conversion.notes)
    conversion = _reduced(_held_to_float(replace(conversion, notes=notes), inputs.data, order.strict))
    if conversion.attach is not None:
        conversion = replace(conversion, network=conversion.attach(conversion.network))
    conversion = asked_monitor(conversion, inputs.source, inputs.data, order.monitor)
    rules = order.hardware.rules(conversion.network, order.profile, order.target_options)
    rules += plugins.adaptation_rule(conversion.network, order.hardware)
    plugins.refuse_broken(rules, order.profile)
    return conversion


def _written(
    order: _Order,
    inputs: Inputs,
    conversion: plugins.Conversion,
    output: str | os.PathLike[str] | None,
    alternatives: Sequence[Alternative] = (),
) -> tuple[Bundle, list[Verdict]]:
    """The bundle, written and verified, and what verification found."""
    network, dataset, announce = conversion.network, inputs.data, order.listener.announce
    final = Path(output) if output is not None else Path("build") / network.name
    with unfinished_folder(final) as folder:
        announce(f"writing for {order.profile.name}")
        vectors = _write_network(folder, conversion, dataset)
        write_samples(folder, inputs.source, dataset)
        metrics = dict(conversion.metrics)
        if dataset is not None and dataset.y_test is not None:
            metrics["confusion"] = confusion(network, dataset.x_test, dataset.y_test)
            if charts := _roc(network, inputs.source, dataset):
                metrics["charts"] = [*metrics.get("charts", []), *charts]
            metrics["judged_on"] = {"samples": len(dataset.y_test), "split": dataset.split}
        emitted = order.hardware.emit(network, order.profile, folder, order.target_options, order.listener)
        metrics["target"] = dict(emitted)
        designs = other_designs(order.hardware, network, order.profile, order.target_options, emitted)
        if entries := [each.as_json() for each in (*alternatives, *designs)]:
            metrics["alternatives"] = entries
        manifest = {**_manifest(order, conversion, metrics, dataset), "vectors": vectors.as_json()}
        unverified = Bundle(folder, network, seal(folder, manifest))
        verdicts = run_executors(unverified, announce=lambda executor: announce(f"verifying on {executor}"))
        _refuse_inexact(verdicts)
        manifest["verification"] = [verdict.as_json() for verdict in verdicts]
        manifest["coverage"] = coverage.coverage(verdicts, order.profile.name).as_json()
        shown = {**unverified.manifest, **manifest}
        (folder / REPORT).write_text(render(shown, network, unverified.golden()[0]), encoding="utf-8")
        seal(folder, manifest)
        return replace(load(folder), folder=final), verdicts


def _roc(network: Network, source: Any, data: Dataset) -> list[dict[str, Any]]:
    """Of a network of two classes: how it and its float model tell them apart at every threshold."""
    if network.task != BINARY or data.y_test is None:
        return []
    from .report.roc import roc_chart

    outputs: dict[str, Any] = {"integer": simulate(network, network.quantizer.quantize(data.x_test))[:, 0]}
    if isinstance(source, Mlp):
        outputs = {"float": source.evaluate(data.x_test)[:, 0], **outputs}
    chart = roc_chart(outputs, data.y_test)
    return [] if chart is None else [chart]


def _in_form(order: _Order, model: Any, inputs: Inputs) -> plugins.Conversion:
    """The integer network of what was read, in the form asked for."""
    source, form = inputs.source, order.form
    if isinstance(source, Snn) and form != "spiking":
        raise InputError(f"model {source.name}", f"is a spiking network; form {form} takes none", "Use --to spiking")
    if order.budget is not None and not isinstance(source, Mlp):
        where = f"option budget={order.budget.text}"
        raise InputError(where, f"model {source.name} is no float model, whose bits could be chosen")
    if isinstance(source, Network):
        return _adopted(order, model, source, inputs.data)
    try:
        if order.budget is not None and isinstance(source, Mlp):
            return _within_budget(order, order.budget, source, inputs.data)
        # A spiking model goes to the spiking form alone, which takes both.
        return order.converter.convert(source, inputs.data, order.form_options, order.progress)  # type: ignore[arg-type]
    except ModuleNotFoundError as error:
        raise missing_package(f"form {form}", error) from error


def _reduced(conversion: plugins.Conversion) -> plugins.Conversion:
    """The conversion without the channels that no output depends on; the network with them is a file of the bundle."""
    whole = conversion.network
    if (network := reduced(whole)) is whole:
        return conversion
    missed = {name: count for name, count in left_out(whole, kept_channels(whole)).items() if count}
    said = ", ".join(
        [f"{count} of {whole.sizes[name]} in {name}" for name, count in missed.items()]
        + [f"table rows of {node.name}" for node in whole.layers if node.layer.holds_more]
    )
    note = f"Left out, as no output depends on them: {said}. {CONVERTED} is the network with them."
    files = {**conversion.files, CONVERTED: network_file.to_bytes(whole)}
    return replace(conversion, network=network, files=files, notes=(*conversion.notes, note))


def _within_budget(order: _Order, budget: Budget, mlp: Mlp, data: Dataset | None) -> plugins.Conversion:
    from .allocation.within_budget import Part, convert_within

    part = Part(order.hardware, order.profile, order.target_options)
    form = form_owner(order.form)
    return convert_within(
        *(budget, mlp, data, order.converter, form.options, order.form_options, part),
        *(order.progress, order.listener.announce),
    )


def _held_to_float(conversion: plugins.Conversion, data: Dataset | None, strict: bool) -> plugins.Conversion:
    """The conversion with what its integers are worth beside the float model, said first where that is little."""
    if conversion.reference is None:
        return conversion
    found = fidelity.measure(conversion.reference, fidelity.samples(conversion.reference.network, data))
    if strict and not found.within:
        raise CheckFailed(f"layer {found.layer}" if found.layer != "input" else "input", found.note)
    note = found.note if found.within else WARNING + found.note
    notes = (note, *conversion.notes) if note else conversion.notes
    return replace(conversion, notes=notes, metrics={**conversion.metrics, "fidelity": found.as_json()})


def _write_network(folder: Path, conversion: plugins.Conversion, dataset: Dataset | None) -> VectorSet:
    """The network, its test vectors, and the files that the converter brings."""
    for path, content in conversion.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    network_file.write(conversion.network, folder / NETWORK)
    vectors = _write_golden(folder, conversion.network, dataset)
    if CONVERTED in conversion.files:
        whole = network_file.from_bytes(conversion.files[CONVERTED], CONVERTED)
        if not np.array_equal(simulate(whole, vectors.q), vectors.y):
            raise CheckFailed(CONVERTED, f"gives other integers than {NETWORK}", "Report this: it is a fault in edgeml")
    return vectors


def _manifest(
    order: _Order, conversion: plugins.Conversion, metrics: Mapping[str, Any], data: Dataset | None
) -> dict[str, Any]:
    """What `bundle.json` says, but for what verification finds."""
    profile = order.profile
    return {
        "name": conversion.network.name,
        "edgeml": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "form": order.form,
        "target": {
            "name": profile.name,
            "kind": profile.kind,
            "description": profile.description,
            "values": dict(profile.values),
        },
        "options": dict(order.given),
        **({} if order.budget is None else {"budget": order.budget.text}),
        **({} if order.monitor is None else {"monitor": order.monitor}),
        **({"beside": list(order.beside)} if order.beside else {}),
        **({} if data is None else {"data": data.described}),
        "model_hash": network_file.model_hash(conversion.network),
        "metrics": metrics,
        "notes": list(conversion.notes),
    }


def _adopted(order: _Order, model: Any, network: Network, dataset: Dataset | None) -> plugins.Conversion:
    """An integer network in the form asked for: as the converter adopts it, else as it is if its layers allow."""
    converter, form, options = order.converter, order.form, order.form_options
    conversion = None
    if isinstance(converter, plugins.AdoptsNetworks):
        conversion = converter.adopt(model, network, dataset, options)
    if conversion is None:
        taker = converter if isinstance(converter, plugins.TakesNetworks) else None
        held = [(node.name, kind) for node in network.nodes for kind in node.layer.kinds]
        foreign = [place for place in held if taker is not None and place[1] not in taker.layer_kinds]
        if foreign:
            raise InputError(
                f"layer {foreign[0][0]}",
                f"is of kind {foreign[0][1]}, which form {form} has not",
                "Convert the trained model, not the integer network made from it",
            )
        if options:
            raise InputError(f"option {next(iter(options))!r}", "has no meaning: the model is integers already")
        left_out = "" if taker is None else taker.left_out_note
        notes = ("The model is an integer network already: taken as it is.", *([left_out] if left_out else []))
        conversion = plugins.Conversion(network, notes=notes)
    if network.adaptation is not None and conversion.network.adaptation is None:
        where = f"network {network.name}"
        raise InputError(where, f"adapts, which form {form} cannot", "Convert the model without --adapt for that form")
    # What the user says of the task holds for what a converter reads anew from the file, too.
    conversion = replace(conversion, network=replace(conversion.network, output=network.output))
    from .baseline import baseline_of

    metrics = dict(conversion.metrics)
    if (baseline := baseline_of(model, dataset)) is not None:
        metrics["baseline"] = baseline.as_json()
    if dataset is not None and dataset.y_test is not None:
        metrics |= scores(network.task, dataset.y_test, {"integer": answers_of(conversion.network, dataset.x_test)})
    return replace(conversion, metrics=metrics)


def _write_golden(folder: Path, network: Network, dataset: Dataset | None) -> VectorSet:
    """The test vectors, derived and written."""
    quantizer = network.quantizer
    samples = None if dataset is None else quantizer.quantize(dataset.x_test[:MOST_DATA_VECTORS])
    vectors = derive_vectors(network, samples)
    (folder / "golden").mkdir()
    small = np.int8 if quantizer.signed else np.uint8
    (folder / "golden" / "inputs.npy").write_bytes(to_npy(vectors.q.astype(small)))
    (folder / "golden" / "outputs.npy").write_bytes(to_npy(vectors.y))
    return vectors


def _refuse_inexact(verdicts: Sequence[Verdict]) -> None:
    """CheckFailed where an artifact is wrong. An executor that failed says nothing of it: see `Verdict.refutes`."""
    for verdict in verdicts:
        if verdict.status == "mismatch":
            found = f"{verdict.mismatches} of {verdict.vectors} vectors differ, first {verdict.first_mismatch}"
            problem = f"does not compute the golden integers: {found}"
            raise CheckFailed(f"executor {verdict.name}", problem, "No bundle was written")
        if verdict.refutes:
            raise CheckFailed(f"executor {verdict.name}", f"found a fault: {verdict.detail}", "No bundle was written")
