"""The C around a network's C that runs cases from a file, each with memory of its own, and writes what they gave.

Each case is run three times: with objects from the heap, then each object ending just before memory that nobody
may touch, then each beginning just behind it. What a stage is to write is filled with another byte each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["CASES", "GIVEN", "REPORT", "RUNS", "sandbox_files"]

CASES, GIVEN, REPORT = "cases.bin", "given.bin", "report.txt"
RUNS = 3
"""How often each case is run."""

_HEADER = """#include <stddef.h>

#define INPUTS {inputs}
/* Objects of a case: what it takes, then its output, scratch memory and labels. */
#define OUTPUT INPUTS
#define SCRATCH (INPUTS + 1)
#define LABEL (INPUTS + 2)
#define OBJECTS (INPUTS + 3)

struct tried {{
    void (*run)(void *const *objects, size_t samples);
    size_t bytes[OBJECTS]; /* of each object for each sample; 0: there is none */
    size_t fixed; /* of scratch memory for all samples together */
    size_t alignment[OBJECTS];
}};
extern const struct tried edgeml_tried[];
extern const size_t edgeml_tried_count;
"""

_DRIVER = """#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tried.h"

static const size_t page = 4096, guard = 1 << 24;

static size_t pages_of(size_t size) { return (size + page - 1) / page * page; }

/* `size` bytes: 0 from the heap, 1 before memory that nobody may touch, 2 behind it. */
static unsigned char *placed(size_t size, size_t alignment, int how)
{
    const size_t used = pages_of(size);
    unsigned char *memory = NULL;
    if (how == 0) {
        if (posix_memalign((void **)&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, size)) exit(9);
        return memory;
    }
    memory = mmap(NULL, guard + used + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + guard, used, PROT_READ | PROT_WRITE)) exit(9);
    return memory + guard + (how == 2 ? 0 : (used - size) / alignment * alignment);
}

static void gone(unsigned char *memory, size_t size, int how)
{
    if (how == 0) {
        free(memory);
    } else {
        munmap((unsigned char *)((uintptr_t)memory / page * page) - guard, guard + pages_of(size) + guard);
    }
}

int main(void)
{
    static const int fills[] = {0x00, 0xff, 0x5a};
    const struct rlimit none = {0, 0};
    const int said = open("report.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *const cases = fopen("cases.bin", "rb"), *const given = fopen("given.bin", "wb");
    int32_t head[2];
    if (said < 0 || !cases || !given) return 8;
    dup2(said, 2);
    setrlimit(RLIMIT_CORE, &none);
    while (fread(head, sizeof head, 1, cases) == 1) {
        if (head[0] < 0 || (size_t)head[0] >= edgeml_tried_count || head[1] < 1) return 7;
        const struct tried *const what = &edgeml_tried[head[0]];
        const size_t samples = (size_t)head[1];
        unsigned char *values[INPUTS] = {NULL};
        for (size_t i = 0; i < INPUTS && what->bytes[i]; i++) {
            values[i] = malloc(what->bytes[i] * samples);
            if (!values[i] || fread(values[i], what->bytes[i] * samples, 1, cases) != 1) return 6;
        }
        for (int how = 0; how < 3; how++) {
            unsigned char *objects[OBJECTS] = {NULL};
            size_t sizes[OBJECTS];
            for (size_t i = 0; i < OBJECTS; i++) {
                sizes[i] = what->bytes[i] * samples + (i == SCRATCH ? what->fixed : 0);
                if (!sizes[i]) continue;
                objects[i] = placed(sizes[i], what->alignment[i], how);
                memset(objects[i], fills[how], sizes[i]);
                if (i < INPUTS) memcpy(objects[i], values[i], sizes[i]);
            }
            what->run((void *const *)objects, samples);
            fwrite(objects[OUTPUT], sizes[OUTPUT], 1, given);
            if (sizes[LABEL]) fwrite(objects[LABEL], sizes[LABEL], 1, given);
            fflush(given);
            for (size_t i = 0; i < OBJECTS; i++) {
                if (sizes[i]) gone(objects[i], sizes[i], how);
            }
        }
        for (size_t i = 0; i < INPUTS; i++) free(values[i]);
    }
    return 0;
}
"""

_ENTRIES = """/* Before the first constant lies an object, so that a sanitizer sees what is read there. */
__attribute__((used, aligned(64))) static const char tried_before[64] = {{1}};
#include "{name}.c"
#include "tried.h"

static void tried_network(void *const *objects, size_t samples)
{{
    {name}_invoke_batch(objects[0], samples, objects[OUTPUT], objects[LABEL], objects[SCRATCH]);
}}

{functions}
const struct tried edgeml_tried[] = {{
{entries}
}};
const size_t edgeml_tried_count = sizeof edgeml_tried / sizeof *edgeml_tried;
"""


def sandbox_files(program: CProgram) -> dict[str, str]:
    """C by name: case 0 is the network as a batch, case 1 + k its stage k, as many samples as the case says."""
    layout = program.layout
    network, alignment = layout.network, layout.dialect.alignment
    most = max(1, *(len(stage.job.inputs) for stage in layout.stages))
    sizes = [network.input_size, *[0] * (most - 1), 4 * network.output_size, 0, 4]
    entries = [_entry("network", sizes, f"{layout.macro}_BATCH_ARENA_BYTES", [*[1] * most, 4, alignment, 4])]
    functions = []
    for position, stage in enumerate(layout.stages):
        functions.append(
            f"static void tried_{position}(void *const *objects, size_t samples)\n{{\n"
            f"    {stage.job.prefix}({', '.join(_arguments(stage, network.quantizer.signed))}, samples);\n}}\n"
        )
        inputs = [tensor.bytes for tensor in stage.job.inputs] or [network.input_size]
        scratch = -(-stage.code.scratch_bytes // alignment) * alignment
        sizes = [*inputs, *[0] * (most - len(inputs)), stage.output.bytes, scratch, 0]
        aligned = [alignment if stage.job.inputs else 1] * most
        entries.append(_entry(str(position), sizes, "0", [*aligned, alignment, alignment, 1]))
    text = _ENTRIES.format(name=layout.name, functions="\n".join(functions), entries="\n".join(entries))
    return {"tried.h": _HEADER.format(inputs=most), "tried-entries.c": text, "tried-driver.c": _DRIVER}


def _entry(name: str, sizes: Sequence[int], fixed: str, alignment: Sequence[int]) -> str:
    numbers = (", ".join(map(str, each)) for each in (sizes, alignment))
    of_objects, aligned = numbers
    return f"    {{tried_{name}, {{{of_objects}}}, {fixed}, {{{aligned}}}}},"


def _arguments(stage: Stage, signed: bool) -> list[str]:
    """What a stage's function is called with."""
    kinds = [tensor.ctype for tensor in stage.job.inputs] or ["int8_t" if signed else "uint8_t"]
    found = [f"(const {kind} *)objects[{place}]" for place, kind in enumerate(kinds)]
    found.append(f"({stage.output.ctype} *)objects[OUTPUT]")
    return found + (["(uint8_t *)objects[SCRATCH]"] if stage.code.scratch_bytes else [])
