"""What of a network can adapt on a device, and the state machine of a network that does; both in integers."""
