"""The open tools for FPGAs: where they are, and how they are called."""
