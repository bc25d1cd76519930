"""Code written by hand that generated code builds on: C kernels, RTL modules, board support, packaging."""
