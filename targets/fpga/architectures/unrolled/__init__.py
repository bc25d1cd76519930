"""The unrolled architecture: constant weights become wires, counters and adders; one frame per clock, pipelined."""
