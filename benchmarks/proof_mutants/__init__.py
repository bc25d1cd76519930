"""Small faults from seeds in all that is proved: whether each that changes a function is refuted, and no other."""
