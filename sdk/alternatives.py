"""What else the same model could become for the same part: other forms, converted and run; other designs, estimated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .bundle import Bundle
from .errors import EdgemlError, InputError
from .metrics import Alternative, Answers, costs_of
from .metrics.json_values import number, numbers
from .network import Network
from .options.installed import form_owner
from .plugins import Estimates, HasAlternatives, Target, executors
from .profile import Profile
from .report.answer import exact_share
from .system.scratch import ScratchFolder

__all__ = ["Convert", "check_forms", "other_designs", "other_forms"]

Convert = Callable[[str, Path], Bundle]
"""Converts the model in hand to the form that is named, into that folder."""

_INTERPRETER = "tflm"
"""The executor that counts what an interpreter on the device needs beside the file."""


def check_forms(form: str, beside: Sequence[str]) -> None:
    """InputError unless each of `beside` is a form, and none the form that is asked for."""
    for other in beside:
        form_owner(other)
        if other == form:
            raise InputError(f"option beside={other}", "is the form of the bundle itself", "Name another form")


def other_designs(
    hardware: Target, network: Network, profile: Profile, options: Mapping[str, Any], emitted: Mapping[str, Any]
) -> list[Alternative]:
    """Other designs of the same network, by the target's own estimate; of two that cost the same, the first."""
    if not isinstance(hardware, HasAlternatives) or not isinstance(hardware, Estimates):
        return []
    found: list[Alternative] = []
    for name, asked in hardware.alternatives(network, options, emitted).items():
        try:
            figures = numbers(hardware.estimate(network, profile, asked))
        except EdgemlError as error:
            found.append(Alternative(name, {}, f"not possible: {error}"))
            continue
        if all(figures != other.figures for other in found):
            found.append(Alternative(name, figures, "estimated and planned; the same integers"))
    return found


def other_forms(beside: Sequence[str], convert: Convert, announce: Callable[[str], None]) -> list[Alternative]:
    """The model in each form of `beside`: converted, verified, and its figures kept."""
    found = []
    for form in beside:
        announce(f"converting to {form}, to compare")
        with ScratchFolder("comparison") as folder:
            try:
                bundle = convert(form, folder / "bundles" / form)  # the scratch folder itself is locked
            except EdgemlError as error:
                found.append(Alternative(f"{form} form", {}, f"not possible: {error}"))
                continue
            found.append(_of_bundle(bundle, form))
    return found


def _of_bundle(bundle: Bundle, form: str) -> Alternative:
    figures = costs_of(bundle.target_metrics, Answers.from_json(bundle.manifest.get("metrics")))
    said = [f"converted, {exact_share(bundle.manifest.get('verification', []))} executors exact"]
    if files := sorted(bundle.folder.rglob("*.tflite")):
        figures["file_bytes"] = files[0].stat().st_size
    arena, by = _arena(bundle)
    if arena is not None:
        figures["arena_bytes"] = arena
        said.append(f"arena in {by} on this machine, its code not counted")
    return Alternative(f"{form} form", figures, "; ".join(said))


def _arena(bundle: Bundle) -> tuple[int | float | None, str]:
    """Bytes of the arena that an interpreter of the file used, and the interpreter; None if there is none here."""
    registered = executors(bundle.words()).get(_INTERPRETER)
    if registered is None:
        return None, ""
    executor = registered.load()
    if not executor.applies(bundle) or executor.missing(bundle):
        return None, ""
    measures = executor.run(bundle, bundle.golden()[0][:1], trace=False, options={}).measures
    return number(measures.get("arena")), str(measures.get("version", ""))
