"""The function of `<name>.c` that runs a network as it has adapted: the stages of all, with offsets between them."""

from __future__ import annotations

from collections.abc import Mapping

from ..arena import ArenaLayout
from .plan import AdaptationPlan

__all__ = ["adapted_text"]


def adapted_text(layout: ArenaLayout, ctype: str, values_of: Mapping[str, str]) -> str:
    """C behind the network's own; "" where nothing adapts.

    ctype : of an input integer. values_of : for each stage, by name, the beginning of the call that gives its values.
    """
    plan = AdaptationPlan.of(layout.network)
    if plan is None:
        return ""
    name = layout.name
    lines = [
        f"void {name}_adapted(const {name}_state *state, const {ctype} *input, int32_t *output, uint8_t *levels,",
        f"{' ' * len(f'void {name}_adapted(')}int32_t *totals, void *arena_given)",
        "{",
        "    uint8_t *const arena = (uint8_t *)arena_given;",
        "    const size_t samples = 1;",
    ]
    learns = layout.network.nodes[-1].name if plan.last is not None else ""
    stages = [stage for stage in layout.stages if stage.name != learns]
    for stage in stages:
        kind = stage.output.ctype
        lines.append(f"    {kind} *const t_{stage.name} = ({kind} *)(void *)(arena + {stage.offset}u);")
    for stage in stages:
        arguments = [f"t_{tensor.name}" for tensor in stage.job.inputs] or ["input"]
        arguments.append(f"t_{stage.name}")
        if stage.code.scratch_bytes:
            arguments.append(f"arena + {stage.scratch_offset}u")
        lines.append(f"    {stage.job.prefix}({', '.join([*arguments, 'samples'])});")
        if stage.name in plan.spans:
            phase, channels = plan.phase(stage.name), plan.spans[stage.name]
            lines += [
                f"    edgeml_take_offsets(t_{stage.name}, state->offsets + {plan.start(stage.name)},",
                f"                        totals && state->phase == {phase}u ? totals : NULL, {channels});",
            ]
    if learns:
        source = plan.network.nodes[-1].inputs[0]
        lines += [
            f"    {name}_learned(state, t_{source}, output);",
            f"    for (size_t i = 0; levels && i < {plan.threshold.channels}u; i++) {{",
            f"        levels[i] = t_{source}[i];",
            "    }",
        ]
    else:
        lines += ["    (void)levels;", f"    {values_of[layout.stages[-1].name]}, output);"]
    if not plan.spans:
        lines.append("    (void)totals;")
    return "\n".join([*([_learned(plan, name)] if learns else []), *lines, "}\n"])


def _learned(plan: AdaptationPlan, name: str) -> str:
    """The last layer with the weights of the state."""
    assert plan.last is not None
    fraction, base = plan.last.fraction, plan.threshold.base - plan.layer.input_zero_point
    level = f"((int32_t)levels[i] + ({base}))" if base else "(int32_t)levels[i]"
    inputs = plan.threshold.channels
    return f"""void {name}_learned(const {name}_state *state, const uint8_t *levels, int32_t *output)
{{
    const {name}_weight *weight = state->weights;
    for (size_t o = 0; o < {plan.classes}u; o++, weight += {inputs}) {{
        int32_t sum = state->biases[o] >> {fraction};
        for (size_t i = 0; i < {inputs}u; i++) {{
            sum += (weight[i] >> {fraction}) * {level};
        }}
        output[o] = sum;
    }}
}}
"""
