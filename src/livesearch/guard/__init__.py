"""The guard: what keeps one process answering, whatever its clients do and however many they are."""
