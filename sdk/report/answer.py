"""The top of the page: is it exact, does it fit, how well does it answer; and who says so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics import Answers, Fidelity, TargetMetrics
from ..metrics.baseline import Baseline
from ..metrics.json_values import mapping
from .blocks import Block, Cards, Head, Line, Section, Status, Table
from .text import text

__all__ = ["answer", "exact_share", "figures", "runtimes", "verification", "wilson"]


def answer(manifest: Mapping[str, Any], answers: Answers, target: TargetMetrics, fits: Line, rule: str) -> list[Block]:
    """Name, status lines and the numbers that people ask for first; `fits` is the line on whether it fits, `rule` says
    what the answer is."""
    part = manifest["target"]
    lines = [
        _covered(manifest.get("coverage")),
        _far(answers.fidelity),
        _exactness(manifest.get("verification", [])),
        fits,
        _accuracy(answers),
        _earlier(Baseline.from_json(mapping(manifest.get("metrics")).get("baseline"))),
    ]
    return [
        Head(manifest["name"], manifest["form"], part["name"], part["description"], rule),
        Status(lines),
        Cards(_cards(manifest.get("verification", []), answers, target)),
    ]


def _covered(coverage: Any) -> Line:
    """The first line where nothing of the target ran."""
    if not isinstance(coverage, Mapping) or coverage.get("target_ran", True):
        return "plain", "", ""
    return "warn", "Not verified for its target.", str(coverage.get("sentence", ""))


def _far(fidelity: Fidelity | None) -> Line:
    """Where the integers are further from the float model than their bits explain."""
    if fidelity is None or fidelity.within:
        return "plain", "", ""
    return "bad", "Far from the float model.", fidelity.note


def _exactness(verdicts: Sequence[Mapping[str, Any]]) -> Line:
    verdicts = _counted(verdicts)
    failed = [verdict["name"] for verdict in verdicts if _failed(verdict)]
    ran = [verdict for verdict in verdicts if verdict["status"] != "unavailable" and not _failed(verdict)]
    exact = sum(verdict["status"] == "exact" for verdict in ran)
    if not ran:
        return "warn", "Not verified.", f"No executor ran this bundle{_list('; failed', failed)}."
    vectors = max(verdict["vectors"] for verdict in ran)
    if exact == len(ran):
        absent = [verdict["name"] for verdict in verdicts if verdict["status"] == "unavailable"]
        missing = f" Could not run here: {', '.join(absent)}." if absent else ""
        said = f"{exact} of {len(ran)} executors, {vectors:,} vectors, 0 mismatches.{missing}"
        return (
            ("warn", "Exact where it ran.", f"{said} Failed: {', '.join(failed)}.")
            if failed
            else ("good", "Exact.", said)
        )
    wrong = ", ".join(verdict["name"] for verdict in ran if verdict["status"] != "exact")
    return "bad", "Not exact.", f"{exact} of {len(ran)} executors are; {wrong} not."


def _counted(verdicts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each executor once: golden is the definition and equal to itself; a second question that is answered well, on
    real numbers, is not another executor."""
    return [
        verdict
        for verdict in verdicts
        if verdict["status"] != "exact"
        or (verdict["name"] != "golden" and verdict.get("question", "integers") == "integers")
    ]


def _failed(verdict: Mapping[str, Any]) -> bool:
    """Whether a tool failed, which says nothing of the artifact."""
    return verdict["status"] == "error" and not verdict.get("artifact_wrong")


def _list(lead: str, names: Sequence[str]) -> str:
    return f"{lead}: {', '.join(names)}" if names else ""


def _accuracy(answers: Answers) -> Line:
    before, after = answers.quality("accuracy", "float"), answers.quality("accuracy", "integer")
    if before is None or after is None:
        return _error(answers)
    points, likely = 100 * (after - before), _likely(after, answers)
    if abs(points) < 0.005:
        return "good", "As accurate as the float model.", f"{after:.2%} of {answers.judged_on}{likely}."
    said = f"{after:.2%} of {answers.judged_on}, float {before:.2%}{likely}."
    if points > 0:
        return "good", f"{points:.2f} points above the float model.", said
    return "good" if points > -1 else "warn", f"{-points:.2f} points below the float model.", said


def _earlier(baseline: Baseline | None) -> Line:
    """What the float model had that the integers came from, where these came without it."""
    return ("plain", "", "") if baseline is None else ("plain", baseline.headline, baseline.origin)


def _likely(share: float, answers: Answers) -> str:
    """Where the share of right answers on new samples of this kind lies, by chance alone."""
    count = answers.judged_on.samples
    if not count:
        return ""
    low, high = wilson(share, count)
    return f"; on new samples {low:.1%} … {high:.1%} (95 %)"


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share seen in `count` independent samples (E. B. Wilson, 1927)."""
    middle = share + _Z * _Z / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    scale = 1 + _Z * _Z / count
    low, high = (middle - half) / scale, (middle + half) / scale
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


_Z = 1.959963984540054
"""The normal distribution holds 95 % within so many standard deviations."""


def _error(answers: Answers) -> Line:
    """The line of a network that gives values."""
    before, after = answers.quality("r2", "float"), answers.quality("r2", "integer")
    wrong = answers.quality("mae", "integer")
    if before is None or after is None or wrong is None:
        return "plain", "", ""
    said = f"R² {after:.4f} on {answers.judged_on}, float {before:.4f}; mean absolute error {wrong:.4g}."
    good = after > before - 0.01
    title = "Values as the float model's." if good else "Values further from y than the float model's."
    return "good" if good else "warn", title, said


def exact_share(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """How many of the executors that ran are exact, in words."""
    ran = [verdict for verdict in _counted(verdicts) if verdict["status"] != "unavailable"]
    return f"{sum(verdict['status'] == 'exact' for verdict in ran)} of {len(ran)}"


def _cards(verdicts: Sequence[Mapping[str, Any]], answers: Answers, target: TargetMetrics) -> list[tuple[str, str]]:
    cards = [(exact_share(verdicts), "executors exact")]
    for name, title, form in (
        ("accuracy", "accuracy", ".2%"),
        ("r2", "R²", ".4f"),
        ("mae", "mean absolute error", ".4g"),
    ):
        cards += [(f"{share:{form}}", f"{title}, {key}") for key, share in answers.qualities[name].items()]
    if answers.agreement is not None:
        cards.append((f"{answers.agreement:.2%}", "answers as the float model"))
    return cards + figures(target)


def figures(target: TargetMetrics) -> list[tuple[str, str]]:
    """What it takes, (figure, what it is): clocks, time, instructions, memory."""
    cards = [(text(item), f"cycles, {key}") for key, item in target.cycles.items()]
    if (reached := target.placed.fmax_mhz) is not None:
        cards.append((f"{reached:g} MHz", "clock reached, by nextpnr"))
    constants = None if target.flash_bytes is not None else target.constant_bytes
    for found, label in (
        (target.latency_us, f"µs from input to output{', planned' if target.planned_clock_mhz else ''}"),
        (target.instructions, "instructions an inference"),
        (target.modelled.get("cycles"), "cycles an inference, by model"),
        (target.modelled.get("microseconds"), "µs an inference, by model"),
        (target.modelled.get("microjoules"), "µJ an inference, by model"),
        (target.flash_bytes, "bytes of flash"),
        (target.ram_bytes, "bytes of RAM"),
        (constants, "bytes of constants"),
        (target.synapses, "synapses"),
    ):
        if found is not None:
            cards.append((text(found), label))
    return cards


def verification(verdicts: Sequence[Mapping[str, Any]]) -> Section:
    """Every executor with its vectors and mismatches."""
    rows = []
    for verdict in verdicts:
        ran = verdict["status"] in ("exact", "mismatch")
        rows.append(
            {
                "executor": verdict["name"],
                "status": "failed" if verdict["status"] == "error" else verdict["status"],
                "ran": verdict.get("ran", ""),
                "vectors": verdict["vectors"] if ran else "",
                "mismatches": verdict["mismatches"] if ran else "",
                "layers compared": verdict["layers"] if ran else "",
                "detail": verdict["detail"],
            }
        )
    columns = ("executor", "status", "ran", "vectors", "mismatches", "layers compared", "detail")
    lead = "Each ran the real thing on the bundle's vectors; every integer was compared with the golden simulator's."
    return Section("Verified", [Table(columns, rows, "What verification found")], lead)


def runtimes(manifest: Mapping[str, Any]) -> Section:
    """The tflite form: which runtime rounds by which rule, and whether its bytes are the bundle's own."""
    rows = []
    for verdict in manifest.get("verification", []) if manifest.get("form") == "tflite" else ():
        # The executors of .tflite files say `VERSION, rounds RULE: how many bytes agree`.
        said = re.fullmatch(r"(.{1,200}?), rounds (\w{1,40}): ([^,]{1,300})(?:,.*)?", str(verdict["detail"]))
        if said:
            version, rule, agreement = said.groups()
            rows.append({"runtime": verdict["name"], "version": version, "rounds by": rule, "bytes": agreement})
    lead = f"The bundle rounds by {manifest.get('metrics', {}).get('rounding', '?')}."
    return Section("Runtimes and their roundings", [Table(("runtime", "rounds by", "bytes", "version"), rows)], lead)
