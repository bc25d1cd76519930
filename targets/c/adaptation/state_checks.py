"""The C that looks at the values of a saved state before any of them is taken: an image may come from anybody."""

from __future__ import annotations

from .plan import AdaptationPlan

__all__ = ["checks_text"]


def checks_text(plan: AdaptationPlan, name: str) -> str:
    """`<name>_sound_state`; golden's `AdaptingNetwork.load` refuses the same."""
    layers = len(plan.spans)
    windows = plan.offsets.windows if plan.offsets is not None else 1
    lines = [
        "/* Whether a state has these values: `place` is where it starts. */",
        f"static int {name}_sound_state(const uint8_t *place, uint32_t phase, uint32_t count)",
        "{",
        "    size_t used = 0;",
        *_refused(f"phase > {layers}u || count >= {windows}u || (phase == {layers}u && count != 0)", 1),
        *_offsets(plan),
    ]
    if plan.spans:
        lines += _sums(plan)
    if plan.last is not None:
        lines += _kept(plan)
    lines += [f"    for (size_t i = used; i < {plan.shared_bytes}u; i++) {{", *_refused("place[i] != 0", 2), "    }"]
    if plan.last is not None:
        skipped = plan.state_bytes - 2 * sum(plan.spans.values()) - 3 - plan.classes
        loop = f"    for (size_t i = 0; i < {plan.classes}u; i++) {{"
        lines += [f"    place += {skipped};", loop, *_refused(f"place[i] >= {2 * plan.last.slots}u", 2), "    }"]
    return "\n".join([*lines, "    return 1;", "}\n"])


def _refused(condition: str, depth: int) -> list[str]:
    space = "    " * depth
    return [f"{space}if ({condition}) {{", f"{space}    return 0;", f"{space}}}"]


def _offsets(plan: AdaptationPlan) -> list[str]:
    lines = []
    for most, channels in zip(plan.most, plan.spans.values(), strict=True):
        lines += [
            f"    for (size_t i = 0; i < {channels}u; i++) {{",
            "        const int32_t offset = edgeml_get_signed(&place, 2);",
            *_refused(f"offset > {most} || offset < -{most}", 2),
            "    }",
        ]
    return lines


def _sums(plan: AdaptationPlan) -> list[str]:
    layers = len(plan.spans)
    sizes, largest = (", ".join(map(str, each)) for each in (plan.spans.values(), plan.largest_sums))
    return [
        f"    static const uint32_t sizes[{layers}] = {{{sizes}}};",
        f"    static const int32_t largest[{layers}] = {{{largest}}};",
        f"    if (phase != {layers}u) {{",
        "        const uint8_t *at = place;",
        "        const int32_t most = (int32_t)count * largest[phase];",
        "        used = 4u * sizes[phase];",
        "        for (size_t i = 0; i < sizes[phase]; i++) {",
        "            const int32_t sum = edgeml_get_signed(&at, 4);",
        *_refused("sum > most || sum < -most", 3),
        "        }",
        "    }",
    ]


def _kept(plan: AdaptationPlan) -> list[str]:
    assert plan.last is not None
    windows, inputs = plan.last.slots * plan.classes, plan.threshold.channels
    sound = f"{inputs}, {plan.level_bits}, {plan.threshold.levels}"
    return [
        f"    if (phase == {len(plan.spans)}u) {{",
        f"        used = {plan.kept_bytes}u;",
        f"        for (size_t i = 0; i < {windows}u; i++) {{",
        *_refused(f"!edgeml_sound_levels(place + i * {plan.window_bytes}u, {sound})", 3),
        "        }",
        "    }",
    ]
