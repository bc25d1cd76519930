"""C that computes many samples at once, a bit of each in a word: networks of Boolean functions on processors with
vectors."""
