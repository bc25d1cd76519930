"""Exercise recognition on a smart watch: from recordings of ten people to a microcontroller and to spikes."""
