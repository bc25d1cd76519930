"""C that computes a bit of each of many samples in a word, followed bit by bit for all inputs."""
