"""Proofs of spikes a step per clock: adder graphs, units, and what the core makes of them together."""
