"""Suggestions while one types."""

import pytest

from livesearch.domain import Role, SearchQuery, Segment, Suggestion
from livesearch.errors import CollectionNotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.naughty import naughty_strings


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


async def test_suggest_takes_any_sign(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    for text in ("™", "zelda ™", "\0", "_", "\u0308"):
        assert all(suggestion.key for suggestion in await services.suggestions.suggest("games", text))


async def test_suggest_completes_a_decomposed_word(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": "1", "title": "Pokémon Red"}, {"id": "2", "title": "Pokémon Blue"}]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))

    found = await services.suggestions.suggest("games", "Poke\u0301m")

    assert found[0].text == "Pokémon"


async def test_suggest_follows_the_case_typed(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    for typed, completed in (("zel", "zelda"), ("Zel", "Zelda"), ("ZEL", "ZELDA"), ("ii, ZE", "ii, ZELDA")):
        found = await services.suggestions.suggest("games", typed)

        assert found[0].text == completed


async def test_suggest_completes_only_an_unfinished_word(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    for text in ("zel ", "zel!", '"legend zel', "legend -zel", "zelda"):
        assert all(suggestion.key for suggestion in await services.suggestions.suggest("games", text))


async def test_suggest_leads_to_titles_of_scripts_without_spaces(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": "1", "title": "ゼルダの伝説"}, {"id": "2", "title": "スーパーマリオ"}]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))

    for text in ("ゼ", "ルダ", "の伝説", "ゼルダの"):
        found = await services.suggestions.suggest("games", text)

        assert [suggestion.key for suggestion in found] == ["1"]


async def _load_many(services: Services, write_rows: WriteRows) -> None:
    """So many that their documents are not read one by one."""
    titles = ["Legend of Zelda", "Zen Garden", "Spider-Man PS2", "Legend of Zorro"]
    rows: list[dict[str, object]] = [
        {"id": str(n), "title": f"{titles[n % 4]} {n}", "note": "zero zest" if n % 2 else "zero legends"}
        for n in range(400)
    ]
    roles = {"title": Role.TITLE, "note": Role.TEXT}
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles=roles))


async def test_suggest_among_many_prefers_words_of_titles(services: Services, write_rows: WriteRows) -> None:
    await _load_many(services, write_rows)

    found = await services.suggestions.suggest("games", "z")

    completions = [suggestion.text for suggestion in found if suggestion.key is None]
    assert completions == ["zelda", "zen", "zorro", "zero", "zest"]


async def test_suggest_among_many_keeps_to_words_that_fit_the_others(services: Services, write_rows: WriteRows) -> None:
    await _load_many(services, write_rows)

    found = await services.suggestions.suggest("games", "legend z")

    completions = [suggestion.text for suggestion in found if suggestion.key is None]
    assert completions == ["legend zelda", "legend zorro", "legend zero", "legend zest"]


async def test_suggest_among_many_offers_only_words_that_somebody_writes(
    services: Services, write_rows: WriteRows
) -> None:
    await _load_many(services, write_rows)

    assert [found.text for found in await services.suggestions.suggest("games", "spid") if not found.key] == ["spider"]
    assert [found.text for found in await services.suggestions.suggest("games", "ps") if not found.key] == ["ps2"]


async def test_suggest_completes_words_with_digits_from_a_digit_on(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "code": f"R90{n % 2} x{n}"} for n in range(400)]
    await services.imports.run(write_rows("parts", rows), ImportOptions(key="id", roles={"code": Role.TEXT}))

    found = await services.suggestions.suggest("parts", "r9")

    assert [suggestion.text for suggestion in found if suggestion.key is None] == ["r900", "r901"]


async def test_suggest_offers_no_word_that_nobody_writes(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"spider-man {n}"} for n in range(3)]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE}))

    found = await services.suggestions.suggest("games", "spid")

    assert [suggestion.text for suggestion in found if suggestion.key is None] == ["spider"]
    assert (await services.search.search("games", SearchQuery("spiderman"))).total == 3


async def test_suggest_takes_any_text(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows)

    for text in naughty_strings():
        await services.suggestions.suggest("games", text.replace("\0", ""))


async def test_keys_are_no_completions_where_rows_have_titles(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": f"nes/zelda{number}", "title": f"Zeldas Quest {number}"} for number in "23"]
    await services.imports.run(write_rows("games", rows), ImportOptions(roles={"title": Role.TITLE}, key="id"))

    found = await services.suggestions.suggest("games", "zelda")

    assert [suggestion.text for suggestion in found if suggestion.key is None] == ["zeldas"]
