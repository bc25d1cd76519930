"""`python -m examples.wearable`."""

from .command_line import main

if __name__ == "__main__":
    main()
