"""Verilog text and memory images."""
