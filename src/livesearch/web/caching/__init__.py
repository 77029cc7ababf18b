"""Answers to visitors' searches, kept in memory in front of Flask and true to the last commit."""

from livesearch.web.caching.cache import ResponseCache
from livesearch.web.caching.polls import POLL_LABELS, UnchangedPolls, is_poll
from livesearch.web.caching.recording import SCOPE_KEY

__all__ = ["POLL_LABELS", "SCOPE_KEY", "ResponseCache", "UnchangedPolls", "is_poll"]
