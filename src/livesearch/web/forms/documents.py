"""The form of a document, made from the fields of its collection."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field as FormField
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # of 3.3, the types are of 3.2
from wtforms.validators import DataRequired, ValidationError

from livesearch.domain import Collection, Document, Field, FieldType, Role, Viewer, VisibleTo
from livesearch.errors import InvalidInputError
from livesearch.web.forms.accounts import text_of
from livesearch.web.forms.field_texts import Control, control_of, text_of_value, value_of_text

DIGEST, METHOD = "_digest", "_method"
# Names that forms have for themselves; a field named so is sent with a prefix.
_TAKEN = frozenset({"csrf_token", DIGEST, METHOD, "change"})
_PREFIX = "field."
_CHOICES = [SelectChoice("", "Not said"), SelectChoice("true", "Yes"), SelectChoice("false", "No")]
_ADVICE = {
    FieldType.DATE: "Like 2009-12-31, 2009-12 or 2009.",
    FieldType.URL: "Like https://example.com/.",
}
# Characters of a row of a text.
_ROW_LENGTH = 80
_KEYBOARDS = {FieldType.NUMBER: "decimal", FieldType.URL: "url"}


def edited_fields(collection: Collection) -> tuple[Field, ...]:
    """The fields that a form has: all that are shown but the key, and the one that says whom a row is for."""
    rule = collection.settings.visibility
    return tuple(
        field
        for field in collection.fields
        if field.name != collection.key_field and (field.role is not Role.HIDDEN or field.name == rule.field)
    )


class DocumentForm:
    """The form of a document, filled with what it has, or with what the request sends of it.

    Attributes:
        form: The Flask-WTF form.
        key: Its field for the key of a new document; None where there is none to choose.
        fields: Its other fields, in the collection's order.
    """

    def __init__(
        self, collection: Collection, document: Document | None, viewer: Viewer, *, digest: str = "", prefix: str = ""
    ) -> None:
        """Make the form.

        Args:
            document: What is to be changed; None for a new one.
            digest: The document's, as hexadecimal digits.
            prefix: Stands before the ids of its elements: several forms may be open on one page.
        """
        self._collection, self._document = collection, document
        self._base = _first_values(collection, viewer) if document is None else document
        fields = edited_fields(collection)
        # Attributes of a form class have names of their own: a field may be called “data”, or “errors”.
        made: dict[str, Any] = {"digest": HiddenField(name=DIGEST)}  # Any: unbound fields of several kinds
        has_key = document is None and collection.key_field is not None
        if has_key:
            name = _name(collection.key_field or "")
            made["key"] = StringField(_key_label(collection), [DataRequired("Give a key.")], name=name)
        for at, field in enumerate(fields):
            made[f"field_{at}"] = _made(field, self._base.get(field.name), self._checked(field))
        kind = type("DocumentFields", (FlaskForm,), made)
        texts = {f"field_{at}": text_of_value(self._base.get(field.name)) for at, field in enumerate(fields)}
        self.form: FlaskForm = kind(data={**texts, "digest": digest})
        for at, part in enumerate(self.form):
            part.id = part.label.field_id = f"{prefix}{at}"
        self.key: FormField | None = self.form["key"] if has_key else None
        # What stands in the page is one that a document can have, whatever was sent.
        self.form["digest"].data = (self.digest or b"").hex() if self.form["digest"].raw_data else digest
        self._parts = {field.name: self.form[f"field_{at}"] for at, field in enumerate(fields)}
        self.fields = tuple(self._parts.values())

    def _checked(self, field: Field) -> Any:  # Any: a validator as WTForms has it
        def validate(_form: FlaskForm, part: FormField) -> None:
            try:
                value_of_text(part.data or "", field, self._base.get(field.name))
            except InvalidInputError as error:
                raise ValidationError(str(error)) from error

        return validate

    @property
    def digest(self) -> bytes | None:
        """That of the version that was edited; None where the request does not say it."""
        part = self.form["digest"]
        return digest_of_text(text_of(part)) if part.raw_data else None

    @property
    def document(self) -> Document:
        """The document as the form makes it; what the form does not hold stays as it was. Validate it before."""
        made = dict(self._document or {})
        for field in edited_fields(self._collection):
            value = value_of_text(self.texts[field.name], field, self._base.get(field.name))
            if value is None:
                made.pop(field.name, None)
            else:
                made[field.name] = value
        return made

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the form, by the collection's fields."""
        return {name: part.data or "" for name, part in self._parts.items()}

    @property
    def typed_key(self) -> str | None:
        """The key of a new document; None where its content makes it."""
        return None if self.key is None else (self.key.data or "").strip()

    def add_error(self, words: str, field: FormField | None = None) -> None:
        """Say what is wrong with a field, or with the whole."""
        if field is None:
            self.form.form_errors.append(words)
        else:
            field.errors = [*field.errors, words]


def digest_of_text(text: str) -> bytes:
    """The digest that a request names."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"?"  # nothing has it


def _first_values(collection: Collection, viewer: Viewer) -> dict[str, Any]:
    """What a new document begins with: its owner is who makes it."""
    rule = collection.settings.visibility
    return {rule.field: viewer.name} if rule.to is VisibleTo.OWNER and rule.field and viewer.name else {}


def _name(field: str) -> str:
    """What a field is called in the form."""
    return f"{_PREFIX}{field}" if field in _TAKEN or field.startswith(_PREFIX) else field


def _key_label(collection: Collection) -> str:
    field = collection.field(collection.key_field or "")
    return field.label if field else "Key"


def _made(field: Field, value: Any, check: Any) -> FormField:  # Any: a JSON value, a validator
    control = control_of(field, value)
    if control is Control.CHOICE:
        return SelectField(field.label, [check], choices=_CHOICES, name=_name(field.name))
    attributes = {"dir": "auto", "autocomplete": "off"}
    advice = _ADVICE.get(field.type, "")
    if control is Control.LINE:
        keyboard = _KEYBOARDS.get(field.type)
        attributes |= {"inputmode": keyboard} if keyboard else {}
        return StringField(field.label, [check], description=advice, render_kw=attributes, name=_name(field.name))
    text = text_of_value(value)
    rows = min(max(text.count("\n") + 1 + len(text) // _ROW_LENGTH, 2), 12)
    note = {Control.LINES: f"One a line. {advice}".strip(), Control.JSON: "As JSON."}.get(control, advice)
    return TextAreaField(
        field.label, [check], description=note, render_kw={**attributes, "rows": rows}, name=_name(field.name)
    )
