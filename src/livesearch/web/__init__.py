"""The web: the only floor that knows Flask. Pages, fragments and JSON over the same services."""
