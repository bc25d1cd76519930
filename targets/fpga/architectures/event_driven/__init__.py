"""Exact spiking networks as hardware: event-driven units, one per population, with streams of events between them."""
