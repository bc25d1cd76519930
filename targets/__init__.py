"""Targets: an integer network becomes artifacts, one package per kind of hardware."""
