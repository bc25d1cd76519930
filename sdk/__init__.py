"""edgeml: trained MLPs onto the smallest hardware there is, bit for bit."""

__version__ = "0.1.0"
