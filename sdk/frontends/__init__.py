"""Trained models in: one file per format, each giving an `Mlp`."""
