"""Microcontroller target: the firmware folder, its build, its measures and the boards that are emulated."""
