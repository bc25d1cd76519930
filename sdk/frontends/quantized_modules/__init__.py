"""Modules that PyTorch's eager tools quantized, as modules that torch.export can trace.

Their weights lie packed, in forms that no program of torch.export holds: torch.ao.quantization (quantize_dynamic,
prepare and convert) and tensors of torchao's own.
"""
