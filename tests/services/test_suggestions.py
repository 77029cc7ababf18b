"""Suggestions while one types."""

import pytest

from livesearch.domain import Role, SearchQuery, Segment, Suggestion
from livesearch.errors import CollectionNotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows


async def _load(services: Services, write_rows: WriteRows) -> None:
    titles = ["The Legend of Zelda", "Zelda II", "Zen Garden", "Zen Bound", "Zen Pinball", "Legend of Zorro"]
    rows: list[dict[str, object]] = [{"id": str(n), "title": title} for n, title in enumerate(titles)]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))


async def test_suggest_completes_the_last_word_most_held_first(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    found = await services.suggestions.suggest("games", "z")

    completions = [suggestion.text for suggestion in found if suggestion.key is None]
    assert completions == ["zen", "zelda", "zorro"]
    assert sum(suggestion.key is not None for suggestion in found) == 3


async def test_suggest_keeps_to_words_that_fit_the_others(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    found = await services.suggestions.suggest("games", "Legend, z")

    assert found[0] == Suggestion("Legend, zelda", (Segment("Legend, "), Segment("z", is_match=True), Segment("elda")))
    assert [suggestion.text for suggestion in found] == [
        "Legend, zelda",
        "Legend, zorro",
        "Legend of Zorro",
        "The Legend of Zelda",
    ]


async def test_suggest_of_nothing_is_nothing(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    assert await services.suggestions.suggest("games", " !") == ()
    assert await services.suggestions.suggest("games", "qqq") == ()
    with pytest.raises(CollectionNotFoundError):
        await services.suggestions.suggest("absent", "z")


@pytest.mark.parametrize("text", ["™", "zelda ™", "\0", "_", "̈"])
async def test_suggest_takes_any_sign(services: Services, write_rows: WriteRows, text: str) -> None:
    await _load(services, write_rows)

    assert all(suggestion.key for suggestion in await services.suggestions.suggest("games", text))


async def test_suggest_completes_a_decomposed_word(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": "1", "title": "Pokémon Red"}, {"id": "2", "title": "Pokémon Blue"}]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))

    found = await services.suggestions.suggest("games", "Poke\u0301m")

    assert found[0].text == "pokemon"


async def test_suggest_offers_no_word_that_nobody_writes(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"spider-man {n}"} for n in range(3)]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))

    found = await services.suggestions.suggest("games", "spid")

    assert [suggestion.text for suggestion in found if suggestion.key is None] == ["spider"]
    assert (await services.search.search("games", SearchQuery("spiderman"))).total == 3
