"""`make bench`: what runs on this CPU, beside its peers, one benchmark after the other.

The microcontroller and FPGA benchmarks count instead of timing, take minutes, and have targets of their own:
`make bench-mcu`, `make bench-fpga`.
"""

from __future__ import annotations

from . import cpu, spiking, tflite

for benchmark in (cpu, tflite, spiking):
    print(f"\n== {benchmark.__name__.rpartition('.')[2]} ==\n", flush=True)
    benchmark.main()
