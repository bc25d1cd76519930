"""Keras models from their files: the configuration is read as a graph of float operators, no Keras needed."""
