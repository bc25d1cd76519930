"""QKeras models as integer networks, exactly: their quantizers round half to even and have one step each."""
