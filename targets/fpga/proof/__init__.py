"""Proofs of generated Verilog: how it is read, where values stand in it, and how a counterexample is simulated."""
