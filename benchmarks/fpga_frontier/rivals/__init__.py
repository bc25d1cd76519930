"""Scripts that run in the rivals' own environment; `contract.py` says what they get and leave."""
