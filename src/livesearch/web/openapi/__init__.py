"""What programs may ask, told once: the table in ``operations`` becomes ``/api/openapi.json`` and ``/api/docs``."""
