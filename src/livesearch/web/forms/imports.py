"""The form that sends rows: a file, or what is pasted."""

from flask_wtf import FlaskForm
from wtforms import FileField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # of 3.3, the types are of 3.2

_ACCEPTED = ".csv,.tsv,.tab,.json,.jsonl,.ndjson,.gz"
# Told by the name or by the first line, where nobody says it.
ANY_FORMAT = ""
_FORMATS = [
    SelectChoice(ANY_FORMAT, "Tell by name or content"),
    SelectChoice("csv", "CSV"),
    SelectChoice("tsv", "TSV"),
    SelectChoice("json", "JSON"),
    SelectChoice("jsonl", "JSON lines"),
]


class UploadForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A file, or pasted rows."""

    file = FileField("File", render_kw={"accept": _ACCEPTED})
    rows = TextAreaField("Or paste rows", render_kw={"rows": 5, "spellcheck": "false", "autocomplete": "off"})
    format = SelectField("Format", choices=_FORMATS, default=ANY_FORMAT)
