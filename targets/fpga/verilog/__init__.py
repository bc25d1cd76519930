"""Verilog text: the writer, streams between modules, types of integers, memory images."""
