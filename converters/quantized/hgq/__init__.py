"""HGQ2 models as integer networks, exactly: bits of each weight and of each channel of an activation."""
