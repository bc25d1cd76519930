"""Event-driven designs of spikes for all inputs: units by induction over states, neurons by all potentials."""
