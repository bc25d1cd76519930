"""The folded architecture: each layer is a unit that works through its weights in as many clocks as it has folds."""
