"""Converters: a trained float MLP becomes an integer network, one package per form."""
