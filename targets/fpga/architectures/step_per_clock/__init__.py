"""Exact spiking networks as hardware: all neurons at once, a slot of their spikes in each clock."""

NEEDED_KINDS: frozenset[str] = frozenset({"input_spikes"})
