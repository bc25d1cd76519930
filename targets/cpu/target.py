"""The target of kind `cpu`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeml.errors import EdgemlError
from edgeml.metrics import TargetMetrics
from edgeml.network import Network
from edgeml.options import read_values
from edgeml.plugins import NO_OPTIONS, SILENT, Listener, RuleResult, foreign_kinds, refuse_broken
from edgeml.profile import Profile
from edgeml.profile_fields import Field, Word
from edgeml.targets.c import MOST_CONSTANTS, emitter_kinds, generate, has_emitter
from edgeml.targets.c.arena import lay_out
from edgeml.targets.c.monitor import monitor_files
from edgeml.targets.c.sensors.counts import COUNTS

from .dialect import cpu_dialect
from .packaging import packaging_files
from .web import FOLDER, MACHINE, build_command, write_web

__all__ = ["CpuTarget"]

_OPTIONS = "-std=c99 -O3 -shared -fPIC"


OPTIONS = (COUNTS,)
"""All options of the target."""


class CpuTarget:
    """Emits `c/`: the network as C99."""

    options = OPTIONS
    carries_adaptation = True

    profile_fields: Mapping[str, Field] = {
        "machine": Word(("host", "x86_64", "aarch64", MACHINE)),
        **dict.fromkeys(("arch", "zig_target", "zig_cpu"), Word()),
    }

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """There is C for every layer as it is, and the number of constants is bounded: they become text that a
        compiler must read."""
        weights = sum(array.size for node in network.nodes for array in node.layer.parts()[1].values())
        results = [
            *foreign_kinds(network, "C", has_emitter, emitter_kinds),
            RuleResult(
                "constants fit generated C",
                weights <= MOST_CONSTANTS,
                f"{weights} weights, biases and thresholds; at most {MOST_CONSTANTS}",
                remedy="Use a smaller network",
            ),
        ]
        if all(result.passed for result in results):
            try:
                monitor_files(lay_out(network, cpu_dialect()))
            except EdgemlError as error:
                results.append(RuleResult.broken("generated C", error))
        return results

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """Bytes of constants and of working memory for one sample."""
        program = generate(network, cpu_dialect())
        return {"flash_bytes": float(program.constant_bytes), "ram_bytes": float(program.arena_bytes)}

    def emit(
        self,
        network: Network,
        profile: Profile,
        folder: Path,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener = SILENT,
    ) -> Mapping[str, Any]:
        """Write `c/`, with a README, a CMake project and a self-test; returns the bytes of constants and arena, the
        kernel of each layer, and the command that makes a shared library of the source, on the profile's machine and,
        with `zig cc`, on any other.

        For `wasm32` also `web/`: the module, unless zig is absent, its JavaScript and a page; the command builds that.
        No library is written else: a binary in a bundle could not be held against its source, and what executors run is
        compiled from the source that they checked. Raises CheckFailed if a rule is broken.
        """
        refuse_broken(self.rules(network, profile, options), profile)
        program = generate(network, cpu_dialect(), read_values(OPTIONS, options)[COUNTS.name] or ())
        program.write(folder / "c")
        web = profile.values.get("machine") == MACHINE
        if web:
            listener.announce(f"WebAssembly and page in {FOLDER}/")
            write_web(program, folder)
        build = {"zig": build_command(program.layout.name)} if web else _commands(profile, program.layout.name)
        if not web:
            for name, text in packaging_files(program, profile, build["cc"]).items():
                path = folder / "c" / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
        return TargetMetrics(
            constant_bytes=program.constant_bytes,
            arena_bytes=program.arena_bytes,
            arena_in_use=program.layout.in_use,
            batch_arena_bytes=program.layout.batch_arena_bytes,
            kernels={stage.name: stage.code.kernel for stage in program.layout.stages if stage.code.kernel},
            build=build,
            order=("constant_bytes",),
        ).as_json()


def _commands(profile: Profile, name: str) -> dict[str, str]:
    """Shell commands, run in `c/`, that build a shared library: `cc` on the machine itself, `zig` from elsewhere."""
    values = profile.values
    end = f"-o lib{name}.so {name}.c"
    if values.get("machine", "host") == "host":
        return {"cc": f"cc {_OPTIONS} -march=native {end}"}
    commands = {"cc": " ".join([f"cc {_OPTIONS}", *([f"-march={values['arch']}"] if "arch" in values else []), end])}
    if "zig_target" in values:
        cpu = [f"-mcpu={values['zig_cpu']}"] if "zig_cpu" in values else []
        commands["zig"] = " ".join([f"zig cc -target {values['zig_target']} {_OPTIONS}", *cpu, end])
    return commands
