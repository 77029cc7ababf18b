"""The doctor: what is configured, reachable, slow or unsafe, and how to mend it."""

from livesearch.services.doctor.doctor import Doctor
from livesearch.services.doctor.findings import Finding, Level

__all__ = ["Doctor", "Finding", "Level"]
