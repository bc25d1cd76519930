"""Models with ONNX's own quantizers, QuantizeLinear and DequantizeLinear, as integer networks, exactly."""
