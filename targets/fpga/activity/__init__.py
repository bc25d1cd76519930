"""Energy by activity: how often signals change in simulation, times a published table of what a change costs."""
