"""Programs on words of 32 bits, followed for all inputs at once: what a word can be, operations, claims."""
