"""`python -m livesearch` is `livesearch`."""

from livesearch.cli import main

if __name__ == "__main__":
    main()
