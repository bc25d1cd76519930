"""The page of a bundle: the answer first, then why, layer by layer."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics import Answers, SpikingMetrics, TargetMetrics, bars_of
from ..metrics.json_values import mapping
from ..network import Network, decision_rule
from . import fit
from .alternatives import beside
from .answer import answer, runtimes, verification
from .any_value import any_value
from .blocks import Block, Frame, Notes, Page, Section
from .classes import confusion_section
from .drawing import draw
from .faults import faults_section
from .guarantees import guarantees_section
from .layers import layers_section, seen_values
from .monitor import monitor_section
from .proofs import proofs_section
from .snippets import snippets_section
from .spikes import charts_section, spiking_section
from .synthesis import hardware_section, synthesis_section
from .text import words

__all__ = ["command", "first_screen", "render"]

_OWN_SECTIONS = frozenset(
    {
        "accuracy",
        "alternatives",
        "baseline",
        "certificate",
        "agreement",
        "charts",
        "confusion",
        "faults",
        "judged_on",
        "mae",
        "monitor",
        "proof",
        "r2",
        "spiking",
        "target",
    }
)


def render(manifest: Mapping[str, Any], network: Network, vectors: npt.NDArray[np.int32] | None = None) -> str:
    """The report as one HTML text without any reference to the network, and without scripts.

    Parameters
    ----------
    manifest : a bundle's manifest with `metrics`, `notes` and `verification`. In `metrics`, `accuracy` and
        `agreement` become the headline, each of `charts` (see `chart.chart`) a figure, `confusion` (see
        `classes.confusion`) the matrix, `target` the fit and the cost, `proof` the table of
        what is proved; any other entry a section:
        {"used": …, "budget": …} a bar, a mapping a table of two columns, a list of mappings a table.
    network : the integer network.
    vectors : the test vectors, input integers [vectors, inputs]; with them the values of each layer are shown.
    """
    metrics = mapping(manifest.get("metrics"))
    target, answers = TargetMetrics.from_json(metrics.get("target")), Answers.from_json(metrics)
    verdicts = manifest.get("verification", [])
    found = fit.resources(target, mapping(mapping(manifest.get("target")).get("values")), bars_of(metrics))
    seen = {} if vectors is None else seen_values(network, vectors)
    others = {key: item for key, item in metrics.items() if key not in _OWN_SECTIONS and item not in ({}, [], None)}
    blocks = [
        *_first(manifest, network, answers, target, found),
        verification(verdicts),
        proofs_section(metrics.get("proof")),
        runtimes(manifest),
        fit.resources_section(manifest["target"]["description"], found),
        synthesis_section(target),
        hardware_section(target),
        fit.cost_section(target),
        confusion_section(answers.confusion, network.output.labels, answers.judged_on),
        guarantees_section(metrics.get("certificate")),
        monitor_section(metrics.get("monitor")),
        faults_section(metrics.get("faults")),
        spiking_section(SpikingMetrics.from_json(metrics.get("spiking"))),
        charts_section(metrics.get("charts")),
        snippets_section(manifest, network),
        Section("Good to know", [Notes(manifest.get("notes", []))]),
        layers_section(network, seen),
        *_others(others),
        Section("Made with", any_value(_made_with(manifest))),
    ]
    return draw(Page(_title(manifest), blocks))


def first_screen(manifest: Mapping[str, Any], network: Network) -> str:
    """What the report begins with, in a frame for notebooks: is it exact, does it fit, how well does it answer."""
    metrics = mapping(manifest.get("metrics"))
    target, answers = TargetMetrics.from_json(metrics.get("target")), Answers.from_json(metrics)
    found = fit.resources(target, mapping(mapping(manifest.get("target")).get("values")), bars_of(metrics))
    return draw(Frame(Page(_title(manifest), _first(manifest, network, answers, target, found))))


def _title(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['name']}: {manifest['form']} for {manifest['target']['name']}"


def _first(
    manifest: Mapping[str, Any],
    network: Network,
    answers: Answers,
    target: TargetMetrics,
    found: Sequence[fit.Resource],
) -> list[Block]:
    margin = fit.margin(target, manifest["target"]["kind"], mapping(manifest["target"].get("values")))
    first = answer(manifest, answers, target, fit.fitting(found, margin), decision_rule(network))
    return [*first, beside(manifest, answers, target)]


def _others(metrics: Mapping[str, Any]) -> list[Section]:
    plain = {key: item for key, item in metrics.items() if not isinstance(item, (Mapping, list))}
    nested = [Section(words(key).capitalize(), any_value(item)) for key, item in metrics.items() if key not in plain]
    return [Section("More numbers", any_value(plain)), *nested]


def _made_with(manifest: Mapping[str, Any]) -> dict[str, Any]:
    data = mapping(manifest.get("data"))
    return {
        "command": command(manifest),
        **{key: manifest[key] for key in ("edgeml", "python", "numpy") if key in manifest},
        **(
            {"data": f"{data.get('samples', 0):,} samples, {data.get('held_back', 0):,} of them held back"}
            if data
            else {}
        ),
        **({"data hash (SHA-256)": data.get("sha256", "")} if data else {}),
        "model hash (SHA-256)": manifest.get("model_hash", ""),
    }


def command(manifest: Mapping[str, Any]) -> str:
    """The command line that asks for the same again of the model and the data, which it names only."""
    words = ["edgeml", "convert", "MODEL", "--to", manifest["form"], "--target", manifest["target"]["name"]]
    if mapping(manifest.get("data")):
        words += ["--data", "DATA"]
    if "budget" in manifest:
        words += ["--budget", manifest["budget"]]
    if "monitor" in manifest:
        words += ["--monitor", manifest["monitor"]]
    for form in manifest.get("beside", ()):
        words += ["--beside", form]
    for name, given in mapping(manifest.get("options")).items():
        words += ["--option", f"{name}={given}"]
    return shlex.join(str(word) for word in words)
