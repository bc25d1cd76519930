"""Executors that run the RTL of a bundle: in Verilator, in Icarus, and after synthesis."""
