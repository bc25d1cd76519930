"""What is proved of a bundle beside the .tflite file in it: that its integers are those that the file states."""
