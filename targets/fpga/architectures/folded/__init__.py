"""The folded architecture: each layer is a unit, which works for several neurons in turn."""

NEEDED_KINDS: frozenset[str] = frozenset()
