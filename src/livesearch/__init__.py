"""livesearch: a live-search site over the rows you already have."""

__version__ = "0.1.0"
