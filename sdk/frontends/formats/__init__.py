"""Readers of the formats that models come in, one file each, declared in `pyproject.toml` like those of others."""
