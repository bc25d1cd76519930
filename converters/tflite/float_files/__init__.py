"""Float .tflite files, as TensorFlow's converter writes them, as float models: weights of float32, float16 or int8."""
