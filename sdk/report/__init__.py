"""The report of a bundle: one self-contained HTML file that people look at."""

from .page import render

__all__ = ["render"]
