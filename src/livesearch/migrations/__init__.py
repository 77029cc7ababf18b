"""Alembic: how an older store becomes the one `models.py` describes."""
