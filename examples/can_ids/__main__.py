"""`python -m examples.can_ids`."""

from .command_line import main

if __name__ == "__main__":
    main()
