"""Networks of the package pykan, read from the live module's tensors."""
