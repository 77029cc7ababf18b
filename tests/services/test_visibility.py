"""Who may see which rows, on both stores: what is hidden from somebody is not there for them in any way."""

from collections.abc import Awaitable, Callable

import pytest

from livesearch.domain import (
    ANYBODY,
    OPERATOR,
    Place,
    ResultPage,
    Role,
    SearchQuery,
    ShortlistEntry,
    UserRole,
    Viewer,
    VisibilityRule,
    VisibleTo,
)
from livesearch.errors import (
    CollectionNotFoundError,
    ConflictError,
    DocumentNotFoundError,
    InvalidInputError,
)
from livesearch.services import Services, sights
from livesearch.services.imports import ImportOptions
from livesearch.services.sights import visible_documents
from tests.conftest import WriteRows
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ROLES = {
    "title": Role.TITLE,
    "kind": Role.FACET,
    "year": Role.SORT,
    "owner": Role.HIDDEN,
    "teams": Role.HIDDEN,
}
_ROWS: list[dict[str, object]] = [
    {"id": "a", "title": "Zelda report", "kind": "note", "year": 2001, "owner": "Ann", "teams": ["Sales"]},
    {"id": "b", "title": "Zelda budget", "kind": "sheet", "year": 2002, "owner": "bob", "teams": ["Sales", "Legal"]},
    {"id": "c", "title": "Zeppelin secret", "kind": "plan", "year": 2050, "owner": "ＢＯＢ ", "teams": ["legal"]},
    {"id": "d", "title": "Zelda memo", "kind": "note", "year": 2003, "owner": None, "teams": []},
]
ANN = Viewer("ann", UserRole.VIEWER, ("sales",))
BOB = Viewer("Bob", UserRole.EDITOR, ("Legal",))
ADMIN = Viewer("root", UserRole.ADMIN, sees_all=True)

ByOwner = VisibilityRule(VisibleTo.OWNER, None, "owner")
ByTeam = VisibilityRule(VisibleTo.GROUPS, None, "teams")

# Puts the rows into a new collection with a rule, and gives its name.
Load = Callable[[VisibilityRule], Awaitable[str]]


@pytest.fixture
def load(store: Services, load_rows: LoadRows) -> Load:
    async def load(rule: VisibilityRule) -> str:
        name = await load_rows(store, _ROWS, _ROLES)
        await store.visibility.change(name, rule)
        return name

    return load


def _keys(page: ResultPage) -> set[str]:
    return {hit.key for hit in page.hits}


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        (VisibilityRule(), {"": "abcd", "ann": "abcd", "bob": "abcd", "admin": "abcd"}),
        (VisibilityRule(VisibleTo.SIGNED_IN), {"": "", "ann": "abcd", "bob": "abcd", "admin": "abcd"}),
        (VisibilityRule(VisibleTo.ROLE, UserRole.EDITOR), {"": "", "ann": "", "bob": "abcd", "admin": "abcd"}),
        (ByOwner, {"": "", "ann": "a", "bob": "bc", "admin": "abcd"}),
        (ByTeam, {"": "", "ann": "ab", "bob": "bc", "admin": "abcd"}),
    ],
)
async def test_rules_open_rows(store: Services, load: Load, rule: VisibilityRule, seen: dict[str, str]) -> None:
    name = await load(rule)

    found = {
        who: await store.search.search(name, SearchQuery(), viewer=viewer)
        for who, viewer in {"": ANYBODY, "ann": ANN, "bob": BOB, "admin": ADMIN}.items()
    }
    assert {who: "".join(sorted(_keys(page))) for who, page in found.items()} == seen
    assert {who: page.total for who, page in found.items()} == {who: len(keys) for who, keys in seen.items()}
    assert await store.visibility.get(name) == rule


async def test_counts_ranges_and_facets_tell_of_seen_rows_alone(store: Services, load: Load) -> None:
    name = await load(ByTeam)

    page = await store.search.search(name, SearchQuery(), viewer=ANN)

    assert [(value.value, value.count) for value in page.facets[0].values] == [("note", 1), ("sheet", 1)]
    assert (page.ranges[0].minimum, page.ranges[0].maximum) == ("2001", "2002")
    assert [bin_.count for bin_ in page.ranges[0].histogram] == [1, 1]
    assert page.collection.document_count == 2
    assert (await store.collections.get(name, ANN)).document_count == 2
    listed = {found.name: found.document_count for found in await store.collections.list_all(ANN)}
    assert listed[name] == 2
    facet = await store.search.facet_values(name, SearchQuery(), "kind", viewer=ANN)
    assert {value.value for value in facet.values} == {"note", "sheet"}


@pytest.mark.parametrize("counted", [5_000, 0])
async def test_words_of_hidden_rows_are_neither_suggested_nor_meant(
    store: Services, load: Load, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    # Also where the collection is too large for words to be counted anew.
    monkeypatch.setattr(sights, "_COUNTED", counted)
    name = await load(ByTeam)

    suggested = {
        viewer.name: {suggestion.text for suggestion in await store.suggestions.suggest(name, "ze", viewer=viewer)}
        for viewer in (ANN, BOB, ANYBODY)
    }
    corrected = {
        viewer.name: (await store.search.search(name, SearchQuery("zepelin "), viewer=viewer)).corrected_query
        for viewer in (ANN, BOB, ANYBODY)
    }

    assert suggested == {
        "ann": {"zelda", "Zelda report", "Zelda budget"},
        "Bob": {"zelda", "zeppelin", "Zelda budget", "Zeppelin secret"},
        None: set(),
    }
    assert corrected == {"ann": None, "Bob": "zeppelin", None: None}


async def test_hidden_document_is_as_one_that_does_not_exist(store: Services, load: Load) -> None:
    name = await load(ByOwner)

    faults = []
    for key in ("b", "none"):
        with pytest.raises(DocumentNotFoundError) as got:
            await store.documents.get(name, key, viewer=ANN)
        with pytest.raises(DocumentNotFoundError) as explained:
            await store.search.explain(name, SearchQuery("zelda"), key, viewer=ANN)
        with pytest.raises(DocumentNotFoundError) as deleted:
            await store.documents.delete(name, key, viewer=ANN)
        faults.append([str(fault.value).replace(f"“{key}”", "“…”") for fault in (got, explained, deleted)])

    assert faults[0] == faults[1]
    assert (await store.documents.get(name, "b", viewer=BOB))[1]["title"] == "Zelda budget"


async def test_pinned_rows_that_are_hidden_stay_hidden(store: Services, load: Load) -> None:
    name = await load(ByOwner)
    await store.curations.pin(name, "zelda", "b", position=1)

    assert _keys(await store.search.search(name, SearchQuery("zelda"), viewer=ANN)) == {"a"}
    assert await store.curations.list_all(name, ANN) == ()
    assert [found.document_key for found in await store.curations.list_all(name, BOB)] == ["b"]


async def test_conditions_and_filters_find_no_hidden_row(store: Services, load: Load) -> None:
    name = await load(ByOwner)

    asked = [
        SearchQuery("kind:plan"),
        SearchQuery(filters={"kind": ("plan",)}),
        SearchQuery("year:>2002"),
        SearchQuery("-zelda"),
    ]

    assert [_keys(await store.search.search(name, query, viewer=ANN)) for query in asked] == [set()] * 4
    assert [_keys(await store.search.search(name, query, viewer=BOB)) for query in asked] == [{"c"}] * 4


async def test_writers_write_what_they_may_see(store: Services, load: Load) -> None:
    name = await load(ByOwner)
    mine = {"title": "Zelda anew", "owner": "bob", "teams": []}

    await store.documents.put(name, "e", mine, viewer=BOB)

    assert _keys(await store.search.search(name, SearchQuery("anew"), viewer=BOB)) == {"e"}
    assert _keys(await store.search.search(name, SearchQuery("anew"), viewer=ANN)) == set()
    with pytest.raises(ConflictError, match="“a” cannot be used as a key"):
        await store.documents.put(name, "a", mine, viewer=BOB)
    with pytest.raises(InvalidInputError, match="“owner” must name you"):
        await store.documents.put(name, "e", mine | {"owner": "ann"}, viewer=BOB)
    await store.documents.put(name, "e", mine | {"owner": "ann"}, viewer=OPERATOR)
    assert _keys(await store.search.search(name, SearchQuery("anew"), viewer=ANN)) == {"e"}


async def test_rule_holds_from_the_next_search_and_follows_edits(store: Services, load: Load) -> None:
    name = await load(VisibilityRule())
    assert len(_keys(await store.search.search(name, SearchQuery()))) == 4

    await store.visibility.change(name, ByTeam)

    assert _keys(await store.search.search(name, SearchQuery())) == set()
    await store.documents.put(name, "d", {"title": "Zelda memo", "teams": "Ops, Sales"}, viewer=ADMIN)
    assert _keys(await store.search.search(name, SearchQuery(), viewer=ANN)) == {"a", "b", "d"}
    await store.visibility.change(name, ByOwner)
    assert _keys(await store.search.search(name, SearchQuery(), viewer=ANN)) == {"a"}
    await store.visibility.change(name, VisibilityRule(VisibleTo.PUBLIC, UserRole.ADMIN, "owner"))
    assert len(_keys(await store.search.search(name, SearchQuery()))) == 4
    assert await store.visibility.get(name) == VisibilityRule()
    assert [fault for fault in await store.integrity.check() if name in fault] == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (VisibilityRule(VisibleTo.ROLE), "Say which role sees the rows"),
        (VisibilityRule(VisibleTo.OWNER), "“” is no field"),
        (VisibilityRule(VisibleTo.GROUPS, None, "nowhere"), "“nowhere” is no field"),
    ],
)
async def test_rules_that_lack_something_are_refused(
    store: Services, load: Load, rule: VisibilityRule, message: str
) -> None:
    name = await load(ByOwner)

    with pytest.raises(InvalidInputError, match=message):
        await store.visibility.change(name, rule)

    assert await store.visibility.get(name) == ByOwner
    with pytest.raises(CollectionNotFoundError):
        await store.visibility.change("nowhere", VisibilityRule())


async def test_rule_stays_when_the_collection_is_replaced(store: Services, load: Load, write_rows: WriteRows) -> None:
    name = await load(ByOwner)
    rows: list[dict[str, object]] = [
        {"id": "x", "title": "Zelda", "owner": "ann"},
        {"id": "y", "title": "Zelda", "owner": "bob"},
    ]

    await store.imports.run(write_rows(name, rows), ImportOptions(key="id", replace=True))

    assert _keys(await store.search.search(name, SearchQuery(), viewer=ANN)) == {"x"}
    assert _keys(await store.search.search(name, SearchQuery())) == set()


async def test_public_collections_cost_no_statement(store: Services, load: Load) -> None:
    name = await load(VisibilityRule())
    collection = await store.collections.get(name)

    # There is no connection that it could ask.
    assert await visible_documents(None, collection, ANN) is None  # type: ignore[arg-type]


async def test_groups_are_kept_with_the_user(store: Services) -> None:
    user = await store.accounts.add("Grouped", "correct horse", role=UserRole.VIEWER)

    await store.accounts.set_groups("grouped", [" Sales", "sales ", "Legal"])

    assert user.groups == ()
    assert {found.name: found.groups for found in await store.accounts.list_all()}["Grouped"] == ("sales", "Legal")
    for wrong in ("", "a,b", "x" * 101):
        with pytest.raises(InvalidInputError, match="cannot be a group"):
            await store.accounts.set_groups("grouped", [wrong])
    await store.accounts.delete("grouped")


async def test_open_list_is_told_of_seen_rows_alone(store: Services, load: Load) -> None:
    name = await load(ByOwner)
    since = (await store.collections.get(name)).version
    await store.documents.put(name, "n1", {"title": "Zelda", "owner": "bob"}, viewer=OPERATOR)
    await store.documents.put(name, "n2", {"title": "Zelda", "owner": "ann"}, viewer=OPERATOR)
    # From one to another: gone for the one, new for the other.
    await store.documents.put(name, "a", {"title": "Zelda", "owner": "bob"}, viewer=OPERATOR)

    told = {
        viewer.name: await store.live.changes(name, SearchQuery("zelda"), since=since, viewer=viewer)
        for viewer in (ANN, BOB, ANYBODY)
    }

    assert {who: (change.new, change.gone, change.gone_keys) for who, change in told.items()} == {
        "ann": (1, 1, ("a",)),
        "Bob": (2, 0, ()),
        None: (0, 0, ()),
    }


async def test_shortlists_hold_no_hidden_row(store: Services, load: Load) -> None:
    name = await load(ByOwner)
    entries = [ShortlistEntry(Place(name, "a")), ShortlistEntry(Place(name, "b"))]

    shown = await store.shortlists.show(entries, ANN)

    assert [found.collection is not None for found in shown] == [True, False]
    await store.shortlists.require_document(Place(name, "a"), ANN)
    with pytest.raises(DocumentNotFoundError):
        await store.shortlists.require_document(Place(name, "b"), ANN)
