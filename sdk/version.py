"""The version of edgeml, as bundles and reports state it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
