"""Neuromorphic chips: their design rules, parameters in their own terms, and executors on their own simulators."""

from .target import NeuromorphicTarget

__all__ = ["NeuromorphicTarget"]
