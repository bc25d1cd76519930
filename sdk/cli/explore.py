"""`edgeml explore`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from .app import Json, Quiet, app
from .declared_options import DeclaredOptions, given_options

if TYPE_CHECKING:
    from ..options import Owner


class _SearchOptions(DeclaredOptions):
    """The command with the options that a search declares."""

    def owners(self, args: Sequence[str]) -> Iterator[Owner]:
        """The search alone."""
        yield _search_owner()


def _search_owner() -> Owner:
    from ..explore.settings import LIMITS, QUESTION
    from ..options import Owner

    return Owner("a search", "Use edgeml explore", (*LIMITS, *QUESTION))


def _asked(context: typer.Context) -> dict[str, Any]:
    """The search's options that were given, checked."""
    from ..options import check_options

    return check_options(given_options(context, ()), [_search_owner()])


@app.command(
    cls=_SearchOptions,
    epilog="Example: edgeml explore --data can.npz --target xczu7ev --objective macro_recall,luts "
    "--constraint 'luts<=5%' --baseline 256-128-64-32:2 --minutes 25 --workers 2 -o build/search",
)
def explore(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A trained model; none: a family of MLPs. Or a search.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help=".npz with x, y")] = None,
    task: Annotated[str, typer.Option(metavar="classes|binary|values", help="What is answered.")] = "",
    labels: Annotated[str, typer.Option(metavar="A,B,…", help="Class names, in the outputs' order.")] = "",
    split: Annotated[str, typer.Option(metavar="stratified|tail", help="Which fifth is held back.")] = "",
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME|profile.toml", help="May be repeated: which part, too.")
    ] = None,
    to: Annotated[list[str] | None, typer.Option("--to", metavar="FORM", help="May be repeated.")] = None,
    objective: Annotated[
        str, typer.Option(metavar="QUALITY,COST,…", help="accuracy, macro_recall or r2; luts, latency, flash, ram …")
    ] = "",
    constraint: Annotated[
        list[str] | None, typer.Option(metavar="'NAME<=N[%]'", help="Percent: of what the part has.")
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(metavar="W-W-…:BITS", help="A design made by hand, to be compared with.")
    ] = None,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS|local", help="Run trials on a Ray cluster.")] = None,
    convert: Annotated[int | None, typer.Option(metavar="K", help="Convert point K of the search in MODEL.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the search, or bundle.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search for the designs that answer best for the least hardware; a search that was ended goes on."""
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    if convert is not None:
        _convert(terminal, model, convert, output)
        return
    if data is None or output is None or not target:
        raise InputError("edgeml explore", "needs --data, --target and -o", "See edgeml explore --help")
    from ..explore.search import explore as run
    from ..explore.settings import LIMITS, QUESTION, Settings, parts_of
    from ..inputs import label_list

    asked = _asked(context)
    settings = Settings(
        tuple(target),
        parts_of(to or ("quantized",)),
        objective or _usual_objective(target),
        tuple(constraint or ()),
        tuple(baseline or ()),
        task=task,
        labels=label_list(labels),
        split=split,
        **{option.name: asked[option.name] for option in QUESTION if option.name in asked},
    )

    found = (lambda record, front: terminal.remark(_progress(record, front))) if sys.stderr.isatty() else _unsaid
    limits = {option.name: asked.get(option.name) for option in LIMITS}
    front = run(settings, data, output, model=model, ray=ray, found=found, announce=terminal.remark, **limits)
    terminal.result(front, lambda: _show(terminal, front, output))


def _usual_objective(targets: Sequence[str]) -> str:
    """What is usually asked of such parts; InputError if there is no such thing."""
    from ..profile import load_profile

    kinds = {load_profile(name).kind for name in targets}
    for kind, objective in (("fpga", "accuracy,luts"), ("mcu", "accuracy,flash")):
        if kinds == {kind}:
            return objective
    raise InputError("option objective", "is needed for this target", "For example --objective accuracy,macs")


def _convert(terminal: Any, folder: str | None, number: int, output: Path | None) -> None:
    from ..explore.point import convert_point
    from ..report.terminal_summary import show_bundle

    if folder is None:
        raise InputError("option convert", "needs the folder of a search", "edgeml explore build/search --convert 3")
    with terminal.progress() as (progress, announce):
        bundle = convert_point(Path(folder), number, output, progress=progress, announce=announce)
    terminal.result({"bundle": str(bundle.folder), **bundle.manifest}, lambda: show_bundle(terminal, bundle))


def _unsaid(record: Any, front: Mapping[str, Any]) -> None:
    return None


def _progress(record: Any, front: Mapping[str, Any]) -> str:
    names = [objective["name"] for objective in front["objectives"]]
    values = "  ".join(f"{name} {value:.4g}" for name, value in zip(names, record.outcome.values, strict=True))
    state = f"stopped, {record.outcome.stopped.replace('_', ' ')}" if record.outcome.stopped else values
    return f"trial {record.number}: {state}; {len(front['points'])} points on the front"


def _show(terminal: Any, front: Mapping[str, Any], folder: Path) -> None:
    """The front as a table, what became of the designs given by hand, and how to go on."""
    from ..explore.results import beaten_baseline

    counts = front["trials"]
    terminal.plain(
        f"{counts['finished']} designs trained in full, {counts['stopped_early']} stopped early, {counts['too_large']} "
        f"too large, {counts['failed']} not possible; {front['seconds'] / 60:.1f} minutes, seed {front['seed']}"
    )
    names = [objective["name"] for objective in front["objectives"]]
    columns = ["point", *(_titled(objective) for objective in front["objectives"]), "held back", "design"]
    points = {point["number"]: point for point in (*front["points"], *front["baselines"])}
    order = sorted(points.values(), key=lambda point: (-point["values"][names[0]], point["values"][names[1]]))
    on_front = {point["number"] for point in front["points"]}
    rows: list[list[object]] = []
    for point in order:
        by_hand = " (by hand)" if point["baseline"] else ""
        by_hand += "" if point["number"] in on_front else ", not on the front"
        cells = [_shown(name, point["values"][name]) for name in names]
        test = (point["quality"]["test"] or {}).get(names[0])
        rows.append(
            [str(point["number"]), *cells, "" if test is None else f"{test:.2%}", _design(point["candidate"]) + by_hand]
        )
    terminal.table("Pareto front", columns, rows)
    if not front["points"]:
        terminal.plain("No design keeps every constraint: allow more, or search longer.")
        return
    found = beaten_baseline(front)
    if found is not None:
        terminal.plain(_beaten(found, names[0]))
    elif front["baselines"]:
        terminal.plain("No design beats the one made by hand in every objective yet.")
    terminal.plain(
        f"{folder}/front.json has it all. Convert one: edgeml explore {folder} --convert {order[0]['number']}"
    )
    for point in front["points"]:
        terminal.remark(f"point {point['number']}: {point['command']}")


def _beaten(found: Mapping[str, Any], quality: str) -> str:
    point, baseline, cost = found["point"], found["baseline"], found["cost"]
    now, before = point["values"][cost], baseline["values"][cost]

    def told(each: Mapping[str, Any]) -> str:
        test = (each["quality"]["test"] or {}).get(quality)
        return f"{each['values'][quality]:.2%}" + ("" if test is None else f", held back {test:.2%}")

    return (
        f"Point {point['number']} beats the design made by hand (point {baseline['number']}): {cost} "
        f"{_shown(cost, before)} → {_shown(cost, now)} ({now / before - 1:+.0%}), "
        f"{quality.replace('_', ' ')} {told(baseline)} → {told(point)}"
    )


def _titled(objective: Mapping[str, str]) -> str:
    unit = objective["unit"]
    return objective["name"].removesuffix("_us") + (f", {unit}" if unit and unit != "%" else "")


def _shown(name: str, value: float) -> str:
    if name in ("accuracy", "macro_recall"):
        return f"{value:.2%}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _design(candidate: Mapping[str, Any]) -> str:
    weights, acts = (
        "/".join(str(bits) for bits in (sorted(set(each)) if len(set(each)) == 1 else each))
        for each in (candidate["weight_bits"], candidate["act_bits"])
    )
    shape = "-".join(str(width) for width in candidate["hidden"])
    options = candidate["options"]
    hardware = [str(options[name]) for name in ("architecture", "encoding") if name in options]
    parts = [
        shape,
        f"w{weights}",
        f"a{acts}" if acts else "",
        f"in{candidate['input_bits']}",
        candidate["encode"],
        *hardware,
    ]
    return " ".join(part for part in [candidate["target"], candidate["form"], *parts] if part)
