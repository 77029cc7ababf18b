"""Routes: each parses a request, calls one service, and renders one context."""
