from collections.abc import Sequence
from pathlib import Path

import pytest

from livesearch.domain import Document, FieldType, Role, Row
from livesearch.errors import KeyUndecidedError, SourceError
from livesearch.ingest import Inference, infer, open_source, parse_source


def sample_of(path: Path, *, window: int, size: int = 2_000) -> list[Document]:
    """Rows spread over the first ``window`` rows of a source."""
    step = max(1, window // size)
    sample: list[Document] = []
    with open_source(parse_source(str(path))) as source:
        for number, row in enumerate(source.rows()):
            if number % step == 0 and isinstance(row, Row):
                sample.append(row.document)
            if len(sample) == size:
                break
    return sample


def roles(inference: Inference) -> dict[str, str]:
    return {field.name: str(field.role) for field in inference.fields}


def column(name: str, values: Sequence[object], **more: Sequence[object]) -> list[Document]:
    columns = {name: values, **more}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("window", [2_000, 10_000])
def test_books(window: int, shared: Path) -> None:
    inference = infer(sample_of(shared / "samples/goodbooks/books.jsonl.gz", window=window))
    fields = {field.name: field for field in inference.fields}

    found = roles(inference)
    assert found.pop("authors") in {"facet", "text"}
    assert found == {
        "id": "key",
        "title": "title",
        "original_title": "title",
        "year": "sort",
        "language": "facet",
        "average_rating": "sort",
        "ratings_count": "sort",
        "text_reviews": "sort",
        "isbn13": "hidden",
        "isbn": "text",
        "editions": "sort",
        "image_url": "url",
    }
    assert (inference.key_field, inference.popularity_field) == ("id", "ratings_count")
    assert fields["authors"].is_list
    assert [fields[name].weight for name in ("title", "original_title", "id", "language")] == [10, 8, 5, 3]
    assert fields["year"].type is FieldType.NUMBER
    assert fields["id"].reason == "unique in all 2,000 sampled rows, named id"
    assert all(field.reason for field in inference.fields)


@pytest.mark.parametrize("window", [2_000, 16_000])
def test_games_are_the_same_in_both_formats(window: int, shared: Path) -> None:
    of_lines, of_table = (
        infer(sample_of(shared / f"demo/demo_console_games.{ending}.gz", window=window)) for ending in ("jsonl", "csv")
    )

    found = roles(of_lines)
    assert of_lines == of_table
    assert found.pop("developer") in {"facet", "text"}  # rare
    assert found.pop("edition") in {"facet", "text"}
    assert found == {
        "id": "key",
        "title": "title",
        "title_native": "title",
        "platform": "facet",
        "maker": "facet",
        "year": "sort",
        "decade": "facet",
        "publisher": "facet",
        "region": "facet",
        "serial": "text",
        "releases": "sort",
        "ports": "sort",
        "popularity": "sort",
    }
    assert (of_lines.key_field, of_lines.popularity_field) == ("id", "popularity")


@pytest.mark.parametrize("window", [2_000, 60_000])
def test_packages(window: int, shared: Path) -> None:
    inference = infer(sample_of(shared / "scale/packages.jsonl.gz", window=window))
    weights = {field.name: field.weight for field in inference.fields}

    assert roles(inference) == {
        "id": "key",
        "name": "title",
        "summary": "text",
        "description": "text",
        "section": "facet",
        "priority": "facet",
        "source": "text",
        "version": "text",
        "architecture": "facet",
        "maintainer": "facet",
        "homepage": "url",
        "tags": "facet",
        "installed_kb": "sort",
        "download_bytes": "sort",
        "depends": "text",
        "reverse_dependencies": "sort",
    }
    assert (inference.key_field, inference.popularity_field) == ("id", "reverse_dependencies")
    assert (weights["summary"], weights["description"]) == (3, 1)


@pytest.mark.parametrize("window", [2_000, 18_000])
def test_products(window: int, shared: Path) -> None:
    inference = infer(sample_of(shared / "relevance/icecat/corpus.jsonl.gz", window=window))

    assert roles(inference) == {
        "_id": "key",
        "title": "title",
        "text": "text",
        "model": "text",
        "brand": "facet",
        "price_cents": "sort",
        "released": "date",
        "attributes": "text",
    }
    assert inference.key_field == "_id"


def test_paths_are_key_without_a_title(shared: Path) -> None:
    inference = infer(sample_of(shared / "scale/files_amd64_1.65M.tsv.gz", window=40_000))

    assert roles(inference)["path"] == "key"
    assert roles(inference)["section"] == "facet"
    assert Role.TITLE not in {field.role for field in inference.fields}


def test_undecided_key_names_its_candidates() -> None:
    sample = column("alpha", [f"a{n}" for n in range(30)], beta=[f"b{n}" for n in range(30)])

    with pytest.raises(KeyUndecidedError, match="--key alpha") as caught:
        infer(sample)
    assert caught.value.candidates == ("alpha", "beta")
    assert infer(sample, key="beta").key_field == "beta"
    assert infer(sample, roles={"beta": Role.KEY}).key_field == "beta"


def test_no_key_where_nothing_is_unique() -> None:
    assert infer(column("a", ["x", "x"], b=["y", "y"])).key_field is None


def test_title_is_no_key() -> None:
    inference = infer(column("name", ["ann", "bob", "cleo"], score=["3", "4", "5"]))

    assert (inference.key_field, roles(inference)) == (None, {"name": "title", "score": "sort"})


def test_named_key_may_repeat_rarely() -> None:
    ids = [str(n) for n in range(300)] + ["7"]
    inference = infer(column("id", ids, title=[f"Title {n}" for n in range(301)]))

    assert inference.key_field == "id"
    assert "1 of 301" in inference.fields[0].reason


@pytest.mark.parametrize(("chosen", "key"), [({"nope": Role.TEXT}, None), ({}, "nope")])
def test_unknown_field_is_refused_with_those_there_are(chosen: dict[str, Role], key: str | None) -> None:
    with pytest.raises(SourceError, match=r"“nope”.*a, b"):
        infer(column("a", ["1"], b=["2"]), roles=chosen, key=key)


def test_two_keys_are_refused() -> None:
    with pytest.raises(SourceError, match="Only one"):
        infer(column("a", ["1"], b=["2"]), roles={"a": Role.KEY}, key="b")


def test_chosen_roles_are_kept() -> None:
    sample = column("id", ["1", "2"], isbn=["007", "008"], kind=["a", "b"], note=["Some words", "More words"])
    inference = infer(sample, roles={"isbn": Role.TEXT, "kind": Role.HIDDEN, "note": Role.TITLE})

    assert roles(inference) == {"id": "key", "isbn": "text", "kind": "hidden", "note": "title"}
    assert inference.fields[1].type is FieldType.TEXT
    assert {field.reason for field in inference.fields[1:]} == {"chosen by you"}


def test_numeric_role_needs_numbers() -> None:
    with pytest.raises(SourceError, match="“word” cannot have the role sort"):
        infer(column("word", ["x", "y"]), roles={"word": Role.SORT})


N = range(40)


@pytest.mark.parametrize(
    ("name", "values", "role", "kind"),
    [
        ("zip", [f"{10_000 + n}" for n in N], Role.TEXT, FieldType.TEXT),
        ("any", [f"0{n % 7}{n}" for n in N], Role.TEXT, FieldType.TEXT),
        ("ean", [str(4_000_000_000_000 + n) for n in N], Role.TEXT, FieldType.TEXT),
        ("nameless", [str(4_000_000_000_000 + n) for n in N], Role.TEXT, FieldType.TEXT),
        ("isbn13", [f"9.780{n:02}e+12" for n in N], Role.HIDDEN, FieldType.TEXT),
        ("author_id", [n // 2 for n in N], Role.HIDDEN, FieldType.NUMBER),
        ("index", [str(n) for n in N], Role.HIDDEN, FieldType.NUMBER),
        ("digest", [f"{n // 2:032x}" for n in N], Role.HIDDEN, FieldType.TEXT),
        ("same", ["yes" for _ in N], Role.HIDDEN, FieldType.TEXT),
        ("empty", ["" for _ in N], Role.TEXT, FieldType.TEXT),
        ("price", [f"${n}.50" for n in N], Role.SORT, FieldType.NUMBER),
        ("rating", [None if n == 3 else n / 2 for n in N], Role.SORT, FieldType.NUMBER),
        ("amount", ["n/a" if n == 3 else str(n // 2) for n in N], Role.SORT, FieldType.NUMBER),
        ("born", [f"19{n + 10}-01-0{n % 9 + 1}" for n in N], Role.DATE, FieldType.DATE),
        ("available", [n % 2 == 0 for n in N], Role.FACET, FieldType.BOOLEAN),
        ("in_stock", ["true" if n % 2 else "False" for n in N], Role.FACET, FieldType.BOOLEAN),
        ("link", [f"https://example.org/{n // 2}" for n in N], Role.URL, FieldType.URL),
        ("color", ["red" if n % 3 else "blue" for n in N], Role.FACET, FieldType.TEXT),
        ("tags", [["a", "b"] if n % 2 else ["b"] for n in N], Role.FACET, FieldType.TEXT),
        ("about", [f"one two three {n} " * 10 for n in N], Role.TEXT, FieldType.TEXT),
    ],
)
def test_role_of_one_field(name: str, values: list[object], role: Role, kind: FieldType) -> None:
    sample = column("id", [f"k{n}" for n in N], title=[f"Title {n}" for n in N], **{name: values})
    field = infer(sample).fields[2]

    assert (field.name, field.role, field.type) == (name, role, kind)
    assert field.reason


def test_title_is_guessed_from_short_telling_text() -> None:
    sample = column(
        "ref", [f"r{n}" for n in N], what=[f"Red thing {n}" for n in N], much=["many words " * 30 for _ in N]
    )

    assert roles(infer(sample))["what"] == "title"


def test_fields_keep_the_order_of_the_source() -> None:
    sample = [{"id": "1", "c": "x"}, {"id": "2", "b": "y", "c": "z"}, {"a": "w", "id": "3"}]

    assert [field.name for field in infer(sample).fields] == ["a", "id", "b", "c"]


def test_empty_sample_has_no_fields() -> None:
    assert infer([]) == Inference((), None, None)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["average_rating", "ratings_count"], "ratings_count"),
        (["download_bytes", "page_count"], None),
        (["views", "downloads"], "downloads"),
        (["score"], "score"),
    ],
)
def test_popularity_is_told_by_name(names: list[str], expected: str | None) -> None:
    sample = column("title", [f"Title {n}" for n in N], **{name: [n // 2 for n in N] for name in names})

    assert infer(sample).popularity_field == expected
