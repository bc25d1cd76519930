"""Applications built on edgeml, each a folder to copy."""
