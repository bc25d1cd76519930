"""The house itself: which way imports run, and that files and functions stay of a size to read."""
