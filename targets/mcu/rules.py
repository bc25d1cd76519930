"""Design rules of microcontrollers, each a function with a message of its own."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult, foreign_kinds
from edgeml.profile import Profile
from edgeml.profile_fields import Field, Whole, Word
from edgeml.targets.c import CProgram, emitter_kinds, generate, has_emitter

from .board import BOARD_FIELDS
from .cores import CORES, Core, core
from .cycles import TIME_FIELDS
from .dialect import dialect_with
from .measure import Measurement

__all__ = ["PROFILE_FIELDS", "budget", "flash_rule", "profile_core", "ram_rule", "size_rules"]

_LARGEST_CONSTANTS = 2**25


PROFILE_FIELDS: Mapping[str, Field] = {
    "core": Word(tuple(CORES), required=True),
    "flash_bytes": Whole(1, 2**32 - 1, required=True),
    "ram_bytes": Whole(1, 2**32 - 1, required=True),
    "clock_hz": Whole(1, 10**10),
    **TIME_FIELDS,
    **BOARD_FIELDS,
}
"""What a profile of a microcontroller says, or of a board with one."""


def profile_core(profile: Profile) -> Core:
    """The core of a profile; InputError where it names none or an unknown one."""
    name = profile.values.get("core")
    if not isinstance(name, str):
        raise InputError(f"profile {profile.name}", f"needs the text 'core', found {name!r}")
    return core(name)


def budget(profile: Profile, key: str) -> int:
    """`flash_bytes` or `ram_bytes` of a profile; InputError where it is not a positive number."""
    value = profile.values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**32:
        raise InputError(f"profile {profile.name}", f"{key} must be a number of bytes, found {value!r}")
    return value


def _largest(sizes: dict[str, int]) -> tuple[str, int]:
    return max(sizes.items(), key=lambda item: item[1])


def flash_rule(used: int, by_layer: dict[str, int], profile: Profile) -> RuleResult:
    """Code and constants fit the flash."""
    allowed = budget(profile, "flash_bytes")
    layer, size = _largest(by_layer)
    return RuleResult(
        "flash",
        used <= allowed,
        f"{used} bytes of {allowed}; the largest layer is {layer} with {size}",
        layer,
        "Use fewer bits for this layer's weights, fewer neurons, or a part with more flash",
    )


def ram_rule(used: int, by_layer: dict[str, int], profile: Profile) -> RuleResult:
    """Arena and stack fit the RAM."""
    allowed = budget(profile, "ram_bytes")
    layer, size = _largest(by_layer)
    return RuleResult(
        "ram",
        used <= allowed,
        f"{used} bytes of {allowed}; the largest tensor is {layer} with {size}",
        layer,
        "Use fewer neurons in this layer, or a part with more RAM",
    )


def tensor_bytes(program: CProgram) -> dict[str, int]:
    """Bytes of each stage's output and scratch memory."""
    return {stage.name: stage.output.bytes + stage.code.scratch_bytes for stage in program.layout.stages}


def size_rules(network: Network, profile: Profile) -> list[RuleResult]:
    """Before anything is built: constants of the smallest packing against flash, the arena against RAM."""
    kinds = foreign_kinds(network, "C", has_emitter, emitter_kinds)
    if not all(kind.passed for kind in kinds):
        return kinds
    weights = sum(array.size for node in network.nodes for array in node.layer.parts()[1].values())
    if weights > _LARGEST_CONSTANTS:
        return [
            RuleResult(
                "constants fit generated C",
                False,
                f"{weights} weights, biases and thresholds; at most {_LARGEST_CONSTANTS}",
                remedy="Use a smaller network",
            )
        ]
    try:
        program = generate(network, dialect_with(profile_core(profile), {}))
    except InputError as error:
        return [*kinds, RuleResult.broken("generated C", error)]
    constants = {stage.name: sum(array.bytes for array in stage.code.constants) for stage in program.layout.stages}
    return [
        *kinds,
        flash_rule(program.constant_bytes, constants, profile),
        ram_rule(program.arena_bytes, tensor_bytes(program), profile),
    ]


def measured_rules(found: Measurement, program: CProgram, profile: Profile) -> list[RuleResult]:
    """The same on what was built and run."""
    flash = {name: values["constant_bytes"] + values["code_bytes"] for name, values in found.layers.items()}
    return [
        flash_rule(found.flash, flash, profile),
        ram_rule(found.ram + (found.stack or 0), tensor_bytes(program), profile),
    ]
