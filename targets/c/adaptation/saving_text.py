"""The C that saves a state and loads it: bytes in a fixed order, checked before anything is taken."""

from __future__ import annotations

from edgeml.network.adaptation.state_image import HEADER_BYTES, STATE_VERSION
from edgeml.network.network_file import model_hash

from ..arena import ArenaLayout
from .plan import AdaptationPlan
from .state_checks import checks_text

__all__ = ["saving_text"]


def saving_text(layout: ArenaLayout, plan: AdaptationPlan) -> str:
    """`_state_pack`, `_state_unpack`, `_state_save` and `_state_load`."""
    name, macro = layout.name, layout.macro
    octets = ", ".join(f"0x{model_hash(layout.network)[i : i + 2]}" for i in range(0, 16, 2))
    opening = f"static const uint8_t {name}_state_model[8] = {{{octets}}};\n"
    return "\n".join([opening, _pack(plan, name, macro), _unpack(plan, name, macro), _places(name, macro)])


def _pack(plan: AdaptationPlan, name: str, macro: str) -> str:
    body = [
        f"void {name}_state_pack(const {name}_state *state, uint32_t sequence, uint8_t *image)",
        "{",
        "    uint8_t *place = image;",
        f"    edgeml_put_number(&place, {STATE_VERSION}, 4);",
        f"    edgeml_put_number(&place, {macro}_STATE_BYTES, 4);",
        "    for (size_t i = 0; i < 8u; i++) {",
        f"        *place++ = {name}_state_model[i];",
        "    }",
        "    edgeml_put_number(&place, sequence, 4);",
    ]
    if plan.spans:
        body += _each(sum(plan.spans.values()), "edgeml_put_number(&place, (uint32_t)state->offsets[i], 2);")
    shared = []
    if plan.spans:
        sums = max(plan.spans.values())
        shared = [f"    if (state->phase != {len(plan.spans)}u) {{"]
        shared += _deeper(_each(sums, "edgeml_put_number(&place, (uint32_t)state->shared.sums[i], 4);"))
        shared += [*_deeper(_zeros(plan.shared_bytes - 4 * sums)), "    } else {"]
    idle = _each(plan.kept_bytes, "*place++ = state->shared.kept[i];") if plan.last is not None else []
    idle += _zeros(plan.shared_bytes - plan.kept_bytes)
    body += [*shared, *_deeper(idle), "    }"] if shared else idle
    if plan.last is not None:
        weight, bias = plan.last.weight_bits // 8, plan.last.bias_bits // 8
        body += _each(plan.layer.weight.size, f"edgeml_put_number(&place, (uint32_t)state->weights[i], {weight});")
        body += _each(plan.classes, f"edgeml_put_number(&place, (uint32_t)state->biases[i], {bias});")
        body += _each(plan.classes, "*place++ = state->learned[i];")
    body += [
        "    *place++ = state->phase;",
        "    edgeml_put_number(&place, state->count, 2);",
        "    edgeml_put_number(&place, edgeml_crc32(0, image, (size_t)(place - image)), 4);",
        "}\n",
    ]
    return "\n".join(body)


def _each(count: int, statement: str) -> list[str]:
    return [f"    for (size_t i = 0; i < {count}u; i++) {{", f"        {statement}", "    }"]


def _zeros(count: int) -> list[str]:
    return _each(count, "*place++ = 0;") if count else []


def _deeper(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _unpack(plan: AdaptationPlan, name: str, macro: str) -> str:
    calibrating = f"    const int calibrating = phase != {len(plan.spans)}u;\n" if plan.spans else ""
    body = "\n".join([*_taken(plan, name), "    state->phase = phase;", "    state->count = (uint16_t)count;"])
    return f"""{checks_text(plan, name)}
int32_t {name}_state_unpack({name}_state *state, const uint8_t *image, size_t bytes, uint32_t *sequence)
{{
    const uint8_t *place = image + {macro}_STATE_BYTES - 4;
    if (bytes != {macro}_STATE_BYTES ||
        edgeml_get_number(&place, 4) != edgeml_crc32(0, image, {macro}_STATE_BYTES - 4)) {{
        return {macro}_STATE_DAMAGED;
    }}
    place = image;
    if (edgeml_get_number(&place, 4) != {STATE_VERSION} || edgeml_get_number(&place, 4) != {macro}_STATE_BYTES) {{
        return {macro}_STATE_VERSION;
    }}
    for (size_t i = 0; i < 8u; i++) {{
        if (*place++ != {name}_state_model[i]) {{
            return {macro}_STATE_OTHER_MODEL;
        }}
    }}
    const uint32_t number = edgeml_get_number(&place, 4);
    place = image + {macro}_STATE_BYTES - 7;
    const uint8_t phase = *place++;
    const uint32_t count = edgeml_get_number(&place, 2);
    if (!{name}_sound_state(image + {HEADER_BYTES}, phase, count)) {{
        return {macro}_STATE_VALUE;
    }}
    if (sequence) {{
        *sequence = number;
    }}
    if (!state) {{
        return {macro}_STATE_OK;
    }}
{calibrating}{body}
    return {macro}_STATE_OK;
}}
"""


def _taken(plan: AdaptationPlan, name: str) -> list[str]:
    """What takes a sound state of an image."""
    taken = [f"    place = image + {HEADER_BYTES};"]
    if plan.spans:
        taken += _each(sum(plan.spans.values()), "state->offsets[i] = (int16_t)edgeml_get_signed(&place, 2);")
    idle = _each(plan.kept_bytes, "state->shared.kept[i] = place[i];") if plan.last is not None else []
    if plan.spans:
        sums = max(plan.spans.values())
        wide = "state->shared.sums[i] = calibrating ? edgeml_get_signed(&at, 4) : 0;"
        taken += ["    const uint8_t *at = place;"]
        if idle:
            taken += ["    if (!calibrating) {", *_deeper(idle), "    } else {", *_deeper(_each(sums, wide)), "    }"]
        else:
            taken += _each(sums, wide)
    else:
        taken += idle
    taken.append(f"    place += {plan.shared_bytes};")
    if plan.last is not None:
        weight, bias = plan.last.weight_bits // 8, plan.last.bias_bits // 8
        weights = f"state->weights[i] = ({name}_weight)edgeml_get_signed(&place, {weight});"
        taken += _each(plan.layer.weight.size, weights)
        taken += _each(plan.classes, f"state->biases[i] = ({name}_bias)edgeml_get_signed(&place, {bias});")
        taken += _each(plan.classes, "state->learned[i] = *place++;")
    return taken


def _places(name: str, macro: str) -> str:
    return f"""/* The place of the newest state that is whole, and its sequence number; 2: none is. */
static uint32_t {name}_newest(uint8_t *image, const edgeml_state_storage *storage, uint32_t *sequence, int32_t *problem)
{{
    uint32_t newest = 2;
    *problem = {macro}_STATE_OK;
    for (uint32_t place = 0; place < 2u; place++) {{
        uint32_t number;
        int32_t found = {macro}_STATE_STORAGE;
        if (storage->read(storage->context, place, image, {macro}_STATE_BYTES) == 0) {{
            found = {name}_state_unpack(NULL, image, {macro}_STATE_BYTES, &number);
        }}
        if (found != {macro}_STATE_OK) {{
            *problem = found;
        }} else if (newest == 2u || number - *sequence < 0x80000000u) {{
            newest = place;
            *sequence = number;
        }}
    }}
    return newest;
}}

int32_t {name}_state_save(const {name}_state *state, uint8_t *image, const edgeml_state_storage *storage)
{{
    uint32_t sequence = 0;
    int32_t problem;
    const uint32_t newest = {name}_newest(image, storage, &sequence, &problem);
    {name}_state_pack(state, sequence + 1u, image);
    return storage->write(storage->context, newest == 0 ? 1u : 0u, image, {macro}_STATE_BYTES) == 0 ? {macro}_STATE_OK
                                                                                            : {macro}_STATE_STORAGE;
}}

int32_t {name}_state_load({name}_state *state, uint8_t *image, const edgeml_state_storage *storage)
{{
    uint32_t sequence = 0;
    int32_t problem;
    const uint32_t newest = {name}_newest(image, storage, &sequence, &problem);
    if (newest == 2u) {{
        return problem;
    }}
    if (storage->read(storage->context, newest, image, {macro}_STATE_BYTES) != 0) {{
        return {macro}_STATE_STORAGE;
    }}
    return {name}_state_unpack(state, image, {macro}_STATE_BYTES, NULL);
}}
"""
