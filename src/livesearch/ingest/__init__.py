"""Reading rows from files and tables, and inferring what their fields are for."""

from livesearch.ingest.inference import Inference, infer
from livesearch.ingest.json_strict import parse_json_strict
from livesearch.ingest.opening import open_source
from livesearch.ingest.source import Source
from livesearch.ingest.spec import SourceSpec, default_name, parse_source
from livesearch.ingest.values import coerce, coercer, number_of

__all__ = [
    "Inference",
    "Source",
    "SourceSpec",
    "coerce",
    "coercer",
    "default_name",
    "infer",
    "number_of",
    "open_source",
    "parse_json_strict",
    "parse_source",
]
