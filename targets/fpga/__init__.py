"""The target for FPGAs: readable Verilog, folded or unrolled, with open tools from network to placed design."""

from .target import FpgaTarget

__all__ = ["FpgaTarget"]
