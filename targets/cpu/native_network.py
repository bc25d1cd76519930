"""Networks' C, compiled for this machine and called on numpy arrays."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, MissingTool
from edgeml.network import Monitored, Network
from edgeml.targets.c import CProgram, Dialect, generate
from edgeml.targets.c.alone import StageCase, check_stages, entry_points
from edgeml.targets.c.monitor import COLUMNS, monitor_batch

from .compiler import Compiler, find_compiler, missing_compiler
from .dialect import CPU_DIALECT, cpu_dialect
from .shared_library import build_library

__all__ = ["Buffers", "NativeNetwork", "build_native"]

_WRAPPER = """/* What Python calls beside {name}_invoke_batch. */
#define {macro}_WITH_TRACE
#include "{name}.c"

size_t {name}_size(int which);
void {name}_trace_batch(const {ctype} *input, size_t samples, int32_t *output, int32_t *trace, void *arena);
void {name}_repeat(const {ctype} *input, size_t samples, int32_t *output, void *arena, size_t repeats, int singly);
struct {name}_buffers {{
    const {ctype} *input;
    size_t samples;
    int32_t *output;
}};
void *{name}_arena(void);
int {name}_call(const {ctype} *input, size_t samples, int32_t *output);
int {name}_call_bound(const struct {name}_buffers *buffers);

/* Bytes of arena for a batch; number of inputs; of outputs. */
size_t {name}_size(int which)
{{
    return which == 0 ? {macro}_BATCH_ARENA_BYTES : which == 1 ? {macro}_INPUTS : {macro}_OUTPUTS;
}}

void {name}_trace_batch(const {ctype} *input, size_t samples, int32_t *output, int32_t *trace, void *arena)
{{
    for (size_t i = 0; i < samples; i++) {{
        {name}_trace(input + i * {macro}_INPUTS, output + i * {macro}_OUTPUTS, trace + i * {macro}_TRACE_SIZE, arena);
    }}
}}

/* The same samples again and again, one by one or as a batch. */
void {name}_repeat(const {ctype} *input, size_t samples, int32_t *output, void *arena, size_t repeats, int singly)
{{
    for (size_t r = 0; r < repeats; r++) {{
        if (singly) {{
            for (size_t i = 0; i < samples; i++) {{
                (void){name}_invoke(input + i * {macro}_INPUTS, output + i * {macro}_OUTPUTS, arena);
            }}
        }} else {{
            {name}_invoke_batch(input, samples, output, NULL, arena);
        }}
    }}
}}

/* Working memory of the calling thread. */
void *{name}_arena(void)
{{
    static __thread unsigned char memory[{macro}_BATCH_ARENA_BYTES + {macro}_ARENA_ALIGNMENT];
    return memory + (0u - (uintptr_t)memory) % {macro}_ARENA_ALIGNMENT;
}}

/* 1, and nothing is computed, where an input is none of the network's: kernels may read past their tables then. */
int {name}_call(const {ctype} *input, size_t samples, int32_t *output)
{{
#if {checked}
    int wrong = 0;
    for (size_t i = 0; i < samples * {macro}_INPUTS; i++) {{
        wrong |= (uint8_t)(input[i] - ({low})) > {span};
    }}
    if (wrong) {{
        return 1;
    }}
#endif
    if (samples == 1) {{
        (void){name}_invoke(input, output, {name}_arena());
    }} else {{
        {name}_invoke_batch(input, samples, output, NULL, {name}_arena());
    }}
    return 0;
}}

int {name}_call_bound(const struct {name}_buffers *buffers)
{{
    return {name}_call(buffers->input, buffers->samples, buffers->output);
}}
"""
_SAMPLES_TRACED_AT_ONCE = 4096


class Buffers(ctypes.Structure):
    """What a call reads and writes, by address."""

    _fields_: ClassVar = [("input", ctypes.c_void_p), ("samples", ctypes.c_size_t), ("output", ctypes.c_void_p)]


@dataclass(frozen=True)
class _Build:
    """Programs of several networks in one library."""

    programs: tuple[CProgram, ...]
    shared: ctypes.CDLL
    compiler: Compiler
    flags: tuple[str, ...]

    @classmethod
    def of(
        cls,
        networks: Sequence[Network],
        dialect: Dialect,
        compiler: Compiler | None,
        flags: Sequence[str] | None,
        replaced: Mapping[str, str] | None = None,
    ) -> _Build:
        compiler = compiler or find_compiler()
        if compiler is None:
            raise MissingTool("native", f"cannot build the generated C: {missing_compiler()}")
        chosen = tuple(compiler.native_flags() if flags is None else flags)
        programs = tuple(generate(network, dialect) for network in networks)
        files: dict[str, str] = {}
        for network, program in zip(networks, programs, strict=True):
            quantizer = network.quantizer
            wrapper = _WRAPPER.format(
                name=program.layout.name,
                macro=program.layout.macro,
                ctype="int8_t" if quantizer.signed else "uint8_t",
                checked=int(quantizer.high - quantizer.low < 255),
                low=quantizer.low,
                span=quantizer.high - quantizer.low,
            )
            wrapper += "\n" + monitor_batch(program.layout) + "\n" + entry_points(program.layout)
            files |= {**program.files, f"{program.layout.name}-native.c": wrapper}
        files |= replaced or {}
        # No network is called by a name with a hyphen.
        files["all-native.c"] = "".join(f'#include "{program.layout.name}-native.c"\n' for program in programs)
        path = build_library(compiler, files, ["all-native.c"], chosen)
        return cls(programs, ctypes.CDLL(str(path)), compiler, chosen)


class NativeNetwork:
    """The generated C of a network as a function on numpy arrays.

    Parameters
    ----------
    network : what to run.
    dialect : which C; by default that of the target for CPUs, with the kernels of installed packages.
    compiler : by default the one that `find_compiler` finds; MissingTool where there is none.
    flags : for the compiler; by default those for this very machine.
    files : text by name that takes the place of generated files; CheckFailed where that C does not fit the network.
    """

    def __init__(
        self,
        network: Network,
        dialect: Dialect | None = None,
        compiler: Compiler | None = None,
        flags: Sequence[str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        build = _Build.of([network], dialect or cpu_dialect(), compiler, flags, files)
        self._bind(network, build.programs[0], build)

    def _bind(self, network: Network, program: CProgram, build: _Build) -> None:
        self.network = network
        self.program = program
        self.compiler = build.compiler
        self.flags = build.flags
        library = build.shared
        self._dtype = np.int8 if network.quantizer.signed else np.uint8
        pointer, size, name = ctypes.c_void_p, ctypes.c_size_t, program.layout.name
        self._batch = getattr(library, f"{name}_invoke_batch")
        self._batch.argtypes, self._batch.restype = (pointer, size, pointer, pointer, pointer), None
        self._single = getattr(library, f"{name}_invoke")
        self._single.argtypes, self._single.restype = (pointer, pointer, pointer), ctypes.c_int32
        self._trace = getattr(library, f"{name}_trace_batch")
        self._trace.argtypes, self._trace.restype = (pointer, size, pointer, pointer, pointer), None
        self._repeat = getattr(library, f"{name}_repeat")
        self._repeat.argtypes = (pointer, size, pointer, pointer, size, ctypes.c_int)
        self._repeat.restype = None
        self.call: Callable[..., int] = getattr(library, f"{name}_call")
        """Takes (input, samples, output) as objects of ctypes; 1 where an input is none of the network's. Each thread
        that calls it has working memory of its own."""
        self.call_bound: Callable[..., int] = getattr(library, f"{name}_call_bound")
        """The same for the address of `Buffers`: ctypes takes half the time for one argument."""
        sizes = getattr(library, f"{name}_size")
        sizes.argtypes, sizes.restype = (ctypes.c_int,), size
        self._library = library
        self._alignment = program.layout.dialect.alignment
        self._arena_bytes = int(sizes(0))
        if (sizes(1), sizes(2)) != (network.input_size, network.output_size):
            raise CheckFailed(f"network {name}", f"has another size than the C: {sizes(1)} inputs, {sizes(2)} outputs")

    def _arena(self) -> tuple[npt.NDArray[np.uint8], int]:
        """Fresh working memory (so that threads may call at once) and its aligned address."""
        memory = np.empty(self._arena_bytes + self._alignment, np.uint8)
        return memory, -(-memory.ctypes.data // self._alignment) * self._alignment

    def invoke(self, q: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for input integers q [samples, inputs], which must fit the
        network's input (`Network.check_input`)."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        memory, arena = self._arena()
        self._batch(x.ctypes.data, len(x), outputs.ctypes.data, None, arena)
        del memory
        return outputs

    def monitored(self, q: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.int32], Monitored]:
        """Outputs as of `invoke`, and what the C of the network's monitor says; of a network that has one."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        said = np.empty((len(x), COLUMNS), np.uint32)
        memory, arena = self._arena()
        call = getattr(self._library, f"{self.program.layout.name}_monitor_batch")
        call.argtypes, call.restype = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_void_p] * 3), None
        call(x.ctypes.data, len(x), outputs.ctypes.data, said.ctypes.data, arena)
        del memory
        return outputs, Monitored.of_columns(said)

    def decide(self, q: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """What a batch of samples q [samples, inputs] is taken for, int32 [samples]."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs, labels = np.empty((len(x), self.network.output_size), np.int32), np.empty(len(x), np.int32)
        memory, arena = self._arena()
        self._batch(x.ctypes.data, len(x), outputs.ctypes.data, labels.ctypes.data, arena)
        del memory
        return labels

    def check_layers(self) -> int:
        """Run each stage alone at the corners of its input range; the number of inputs that were run. CheckFailed where
        one gives other integers than its layers."""
        return check_stages(self.program.layout, self.run_alone, "on this machine")

    def run_alone(self, case: StageCase) -> npt.NDArray[np.int32]:
        """What a stage gives for inputs of its own, int32 [cases, channels]."""
        function, stage = getattr(self._library, case.function), case.stage
        function.argtypes, function.restype = (ctypes.c_void_p,) * 4, None
        inputs = [_aligned(stored.nbytes // len(stored), self._alignment) for stored in case.inputs]
        (output, y), (scratch, s) = (
            _aligned(size, self._alignment) for size in (stage.output.bytes, stage.code.scratch_bytes)
        )
        addresses = [address for _, address in inputs]
        found = np.empty((len(case.expected), stage.output.padded), case.dtype)
        for row, stored in enumerate(zip(*case.inputs, strict=True)):
            for (memory, _), values in zip(inputs, stored, strict=True):
                memory[:] = values.view(np.uint8)
            function(addresses[0], addresses[-1], y, s)
            found[row] = output.view(case.dtype)
        del scratch
        return case.values(found)

    def prepare(self, q: npt.NDArray[np.integer]) -> tuple[Callable[[], None], npt.NDArray[np.int32]]:
        """A function that runs the samples q again at each call, and the array that it writes their outputs to: what
        repeated calls cost without the handling of arrays."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        memory, arena = self._arena()
        source, target, samples = x.ctypes.data, outputs.ctypes.data, len(x)
        single, batch = self._single, self._batch

        def call(kept: tuple[object, ...] = (x, outputs, memory)) -> None:
            if samples == 1:
                single(source, target, arena)
            else:
                batch(source, samples, target, None, arena)

        return call, outputs

    def time(self, q: npt.NDArray[np.integer], repeats: int, singly: bool, *, processor: bool = False) -> float:
        """Seconds per sample when the samples q run `repeats` times in a compiled loop, singly or as a batch.

        processor : of this process's processor time, whatever else the machine does.
        """
        clock = time.process_time if processor else time.perf_counter
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        memory, arena = self._arena()
        start = clock()
        self._repeat(x.ctypes.data, len(x), outputs.ctypes.data, arena, repeats, int(singly))
        seconds = clock() - start
        del memory
        return seconds / (repeats * len(x))

    def trace(self, q: npt.NDArray[np.integer]) -> dict[str, npt.NDArray[np.int32]]:
        """The integers of every layer that the C computes, by node name: int32 [samples, channels] each."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        stages = self.program.layout.traced
        parts: dict[str, list[npt.NDArray[np.int32]]] = {stage.name: [] for stage in stages}
        memory, arena = self._arena()
        for start in range(0, max(1, len(x)), _SAMPLES_TRACED_AT_ONCE):
            rows = x[start : start + _SAMPLES_TRACED_AT_ONCE]
            outputs = np.empty((len(rows), self.network.output_size), np.int32)
            values = np.empty((len(rows), self.program.layout.trace_size), np.int32)
            self._trace(rows.ctypes.data, len(rows), outputs.ctypes.data, values.ctypes.data, arena)
            column = 0
            for stage in stages:
                parts[stage.name].append(values[:, column : column + stage.output.size])
                column += stage.output.size
        del memory
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _aligned(size: int, alignment: int) -> tuple[npt.NDArray[np.uint8], int]:
    """So many bytes of memory, and their address, a multiple of the alignment."""
    memory = np.zeros(size + alignment, np.uint8)
    first = -memory.ctypes.data % alignment
    return memory[first : first + size], memory.ctypes.data + first


def build_native(
    networks: Sequence[Network],
    dialect: Dialect = CPU_DIALECT,
    compiler: Compiler | None = None,
    flags: Sequence[str] | None = None,
) -> list[NativeNetwork]:
    """Networks of different names, compiled together: much quicker than one by one. Parameters as above."""
    build = _Build.of(networks, dialect, compiler, flags)
    natives = []
    for network, program in zip(networks, build.programs, strict=True):
        native = NativeNetwork.__new__(NativeNetwork)
        native._bind(network, program, build)
        natives.append(native)
    return natives
