"""What each kind of layer says of one of its channels: a file for each kind."""
