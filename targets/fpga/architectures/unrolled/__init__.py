"""The unrolled architecture: constant weights become wires, counters and adders; one frame per clock, pipelined."""

NEEDED_KINDS: frozenset[str] = frozenset()
