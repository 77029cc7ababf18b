"""Imports in the background: files that were sent, looked at, and then imported by a process beside the server."""

from livesearch.services.jobs.folder import JobFolder
from livesearch.services.jobs.jobs import ImportJobService
from livesearch.services.jobs.preview import JobPreview

__all__ = ["ImportJobService", "JobFolder", "JobPreview"]
