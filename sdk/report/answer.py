"""The top of the page: is it exact, does it fit, how well does it answer; and who says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..judging.scores import judged_on
from .fit import Resource
from .markup import number, section, table, text
from .synthesis import clock

__all__ = ["answer", "runtimes", "verification"]


def answer(manifest: Mapping[str, Any], resources: Sequence[Resource], margin: str, rule: str) -> str:
    """Name, status lines and the numbers that people ask for first; `rule` says what the answer is."""
    target = manifest["target"]
    lines = [
        _covered(manifest.get("coverage")),
        _far(manifest.get("metrics", {}).get("fidelity")),
        _exactness(manifest.get("verification", [])),
        _fitting(resources, margin),
        _accuracy(manifest),
    ]
    body = "".join(
        f'<li class="{style}"><span class="sign" aria-hidden="true">{_SIGNS[style]}</span>'
        f"<div><b>{escape(title)}</b> <span>{escape(said)}</span></div></li>\n"
        for style, title, said in lines
        if title
    )
    cards = "".join(
        f'<div class="card"><b>{escape(said)}</b><span>{escape(label)}</span></div>' for said, label in _cards(manifest)
    )
    return (
        f"<h1>{escape(str(manifest['name']))}</h1>\n"
        f'<p class="made">{escape(str(manifest["form"]))} for <b>{escape(target["name"])}</b> '
        f"· {escape(target['description'])}<br>\nAnswer: {escape(rule)}.</p>\n"
        f'<ul class="status">\n{body}</ul>\n<div class="cards">{cards}</div>\n'
    )


_SIGNS = {"good": "✓", "bad": "✗", "warn": "!", "plain": "·"}


def _covered(coverage: Any) -> tuple[str, str, str]:
    """The first line where nothing of the target ran."""
    if not isinstance(coverage, Mapping) or coverage.get("target_ran", True):
        return "plain", "", ""
    return "warn", "Not verified for its target.", str(coverage.get("sentence", ""))


def _far(fidelity: Any) -> tuple[str, str, str]:
    """Where the integers are further from the float model than their bits explain."""
    if not isinstance(fidelity, Mapping) or fidelity.get("within", True):
        return "plain", "", ""
    return "bad", "Far from the float model.", str(fidelity.get("note", ""))


def _exactness(verdicts: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
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


def _fitting(resources: Sequence[Resource], margin: str) -> tuple[str, str, str]:
    shares = [(resource.share, resource.name) for resource in resources if resource.share is not None]
    if not shares:
        return ("plain", "No budget to keep.", margin) if margin else ("plain", "", "")
    share, name = max(shares)
    over = [name for share, name in shares if share > 1]
    if over:
        return "bad", "Does not fit.", f"Past the budget: {', '.join(over)}."
    left = f"{1 - share:.1%} left of the scarcest, {name}." if share else "Nothing that the part counts is used."
    return "good", "Fits.", f"{left} {margin}".strip()


def _accuracy(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    metrics = manifest.get("metrics", {})
    accuracy = metrics.get("accuracy", {})
    if not isinstance(accuracy, Mapping):
        return "plain", "", ""
    before, after = number(accuracy.get("float")), number(accuracy.get("integer"))
    if before is None or after is None:
        return _error(metrics)
    points = 100 * (after - before)
    if abs(points) < 0.005:
        return "good", "As accurate as the float model.", f"{after:.2%} of {judged_on(metrics)}."
    said = f"{after:.2%} of {judged_on(metrics)}, float {before:.2%}."
    if points > 0:
        return "good", f"{points:.2f} points above the float model.", said
    return "good" if points > -1 else "warn", f"{-points:.2f} points below the float model.", said


def _error(metrics: Mapping[str, Any]) -> tuple[str, str, str]:
    """The line of a network that gives values."""
    share, distance = metrics.get("r2"), metrics.get("mae")
    if not isinstance(share, Mapping) or not isinstance(distance, Mapping):
        return "plain", "", ""
    before, after = number(share.get("float")), number(share.get("integer"))
    wrong = number(distance.get("integer"))
    if before is None or after is None or wrong is None:
        return "plain", "", ""
    said = f"R² {after:.4f} on {judged_on(metrics)}, float {before:.4f}; mean absolute error {wrong:.4g}."
    good = after > before - 0.01
    title = "Values as the float model's." if good else "Values further from y than the float model's."
    return "good" if good else "warn", title, said


def _cards(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    metrics, verdicts = manifest.get("metrics", {}), manifest.get("verification", [])
    ran = [verdict for verdict in _counted(verdicts) if verdict["status"] != "unavailable"]
    exact = sum(verdict["status"] == "exact" for verdict in ran)
    cards = [(f"{exact} of {len(ran)}", "executors exact")]
    for name, title, form in (
        ("accuracy", "accuracy", ".2%"),
        ("r2", "R²", ".4f"),
        ("mae", "mean absolute error", ".4g"),
    ):
        found = metrics.get(name, {})
        if isinstance(found, Mapping):
            cards += [
                (f"{share:{form}}", f"{title}, {key}")
                for key, share in ((key, number(item)) for key, item in found.items())
                if share is not None
            ]
    if (agreement := number(metrics.get("agreement"))) is not None:
        cards.append((f"{agreement:.2%}", "answers as the float model"))
    target = metrics.get("target", {})
    if isinstance(target, Mapping):
        cycles = target.get("cycles")
        if isinstance(cycles, Mapping):
            cards += [(text(item), f"cycles, {key}") for key, item in cycles.items() if number(item) is not None]
        if (reached := clock(target)) is not None:
            cards.append((f"{reached:g} MHz", "clock reached, by nextpnr"))
        for key, label in (
            ("latency_us", "µs from input to output"),
            ("instructions", "instructions an inference"),
            ("flash_bytes", "bytes of flash"),
            ("ram_bytes", "bytes of RAM"),
            ("constant_bytes", "bytes of constants"),
            ("synapses", "synapses"),
        ):
            if number(target.get(key)) is not None and not (key == "constant_bytes" and "flash_bytes" in target):
                cards.append((text(target[key]), label))
    return cards


def verification(verdicts: Sequence[Mapping[str, Any]]) -> str:
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
    return section("Verified", table(columns, rows, "What verification found"), lead)


def runtimes(manifest: Mapping[str, Any]) -> str:
    """The tflite form: which runtime rounds by which rule, and whether its bytes are the bundle's own."""
    if manifest.get("form") != "tflite":
        return ""
    rows = []
    for verdict in manifest.get("verification", []):
        # The executors of .tflite files say `VERSION, rounds RULE: how many bytes agree`.
        said = re.fullmatch(r"(.{1,200}?), rounds (\w{1,40}): ([^,]{1,300})(?:,.*)?", str(verdict["detail"]))
        if said:
            version, rule, agreement = said.groups()
            rows.append({"runtime": verdict["name"], "version": version, "rounds by": rule, "bytes": agreement})
    lead = f"The bundle rounds by {manifest.get('metrics', {}).get('rounding', '?')}."
    return section("Runtimes and their roundings", table(("runtime", "rounds by", "bytes", "version"), rows), lead)
