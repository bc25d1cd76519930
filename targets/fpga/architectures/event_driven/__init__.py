"""Exact spiking networks as hardware: event-driven units, one per population, with streams of events between them."""

NEEDED_KINDS: frozenset[str] = frozenset({"input_spikes"})
