"""How long logic takes on a kind of part, and the clock that a design is planned for."""
