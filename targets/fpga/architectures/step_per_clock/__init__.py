"""Exact spiking networks with all neurons at once: one time step per clock, constant weights as adder graphs."""
