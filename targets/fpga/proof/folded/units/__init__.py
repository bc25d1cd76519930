"""What is proved of each module that the folded architecture makes units of: a file for each."""
