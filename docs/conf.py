"""How Sphinx builds these pages: `make docs`."""

from livesearch import __version__

project = "livesearch"
author = "The livesearch founders"
copyright = "2026, the livesearch founders"  # noqa: A001  # Sphinx wants this name
version = release = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "livesearch"
# No fonts, scripts or badges from elsewhere: the pages work offline.
html_show_sphinx = False
