"""What a design costs before any tool is run."""
