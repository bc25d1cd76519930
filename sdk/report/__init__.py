"""What people look at: one self-contained HTML file for a bundle, and one for a search."""

from .classes import confusion
from .exploration import render_exploration
from .page import first_screen, render

__all__ = ["confusion", "first_screen", "render", "render_exploration"]
