"""Proofs of folded RTL: each unit's schedule, memories, sums and functions, and the core that joins them."""
