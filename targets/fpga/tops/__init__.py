"""Top levels around a design's core: one with a UART for small boards, one with AXI for systems on chip."""
