"""Bits and inputs of each layer under a budget: what they disturb, what they cost, and the best choice of them."""
