"""What is proved of a bundle beside the quantized model that it keeps: that its integers are the model's."""
