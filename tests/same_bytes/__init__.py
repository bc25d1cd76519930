"""The bytes of a fixed set of conversions: what a change of the house must not change."""
