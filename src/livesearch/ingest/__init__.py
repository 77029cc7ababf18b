"""Reading rows from files and tables, and inferring what their fields are for."""

from livesearch.ingest.inference import Inference, infer, weight_of_role
from livesearch.ingest.json_strict import parse_json_strict
from livesearch.ingest.opening import open_source
from livesearch.ingest.postgres_connection import shown_url
from livesearch.ingest.postgres_reader import PostgresSource, is_table
from livesearch.ingest.sampling import SAMPLE_COUNT, take_sample
from livesearch.ingest.source import Source
from livesearch.ingest.spec import SourceSpec, default_name, format_of_name, format_of_text, parse_source
from livesearch.ingest.synonyms import SynonymLine, read_synonyms
from livesearch.ingest.values import coerce, coercer, number_of

__all__ = [
    "SAMPLE_COUNT",
    "Inference",
    "PostgresSource",
    "Source",
    "SourceSpec",
    "SynonymLine",
    "coerce",
    "coercer",
    "default_name",
    "format_of_name",
    "format_of_text",
    "infer",
    "is_table",
    "number_of",
    "open_source",
    "parse_json_strict",
    "parse_source",
    "read_synonyms",
    "shown_url",
    "take_sample",
    "weight_of_role",
]
