"""The formats that models come in, one file each; `edgeml.frontends.format` finds them here."""
