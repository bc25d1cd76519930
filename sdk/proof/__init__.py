"""Proofs that an artifact computes its network's integers for every input: see docs/proofs.md."""
