"""The ways in which a network becomes hardware: folded, unrolled, event-driven spikes, spikes a step per clock."""
