"""SQL behind one interface, one module a noun.

Functions take a connection whose transaction the caller owns, and return domain values. `sqlite.py` and `postgres.py`
hold what differs between the stores.
"""
