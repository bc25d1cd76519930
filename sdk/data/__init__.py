"""The user's samples: read, checked against the model, their classes named, some of them held back."""
