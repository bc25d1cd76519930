"""Event-driven designs of spikes for all inputs: their units by induction over states, their neurons by all potentials."""
