"""Side-by-side runs against named peers, in one process after the other on the same machine."""
