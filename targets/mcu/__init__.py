"""Microcontroller target: the firmware folder, its build, its measures and the boards that are emulated."""

from .target import McuTarget

__all__ = ["McuTarget"]
