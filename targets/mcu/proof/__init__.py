"""Proofs of machine code: its instructions as operations on words, for all inputs at once."""
