"""The engine, pure: analysis, index keys, matching, ranking, highlighting. No IO, no clock, no SQL."""
