"""Packages of others: what somebody adds to edgeml without changing it."""
