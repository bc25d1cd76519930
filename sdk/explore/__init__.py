"""Design-space exploration: which widths, bits, form, folding and part give the best answer for the least hardware."""
