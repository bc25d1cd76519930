"""ONNX models: the graph is measured before it is parsed, then read operator by operator."""
