"""An intrusion detector for automotive CAN: from a log on disk to a 2-bit network on a chip, and a live monitor."""
