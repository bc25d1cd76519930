"""The C of networks for CPUs followed for all inputs, as LLVM's intermediate form of it."""
