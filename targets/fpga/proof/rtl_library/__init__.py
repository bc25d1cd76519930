"""Proofs of the hand-written Verilog modules and of the streams around a design, for ever, by induction over clocks."""
