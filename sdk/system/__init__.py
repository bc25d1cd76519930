"""The machine that edgeml runs on: programs of others, files and folders, and the caller's process."""
