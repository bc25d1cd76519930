"""The hand-off to FINN: a network as QONNX, the rules FINN accepts a model by, and an executor to check the file."""
