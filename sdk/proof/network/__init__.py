"""What is proved of the integer network itself, whatever it was made into: its ranges, its roundings, its spikes."""
