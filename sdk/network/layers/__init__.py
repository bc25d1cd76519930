"""The primitives of the integer network: one file for each kind, called after it (`layer.layer_class` finds them)."""
