"""Which field is a row's title, and which are further titles (original, native, alternative)."""

from collections.abc import Sequence
from dataclasses import dataclass

from livesearch.domain import FieldType
from livesearch.ingest.profiles import Profile

# Most telling first; the last ones are other languages' words for name and title.
_NAMES = (
    "title", "name", "headline", "label", "subject", "caption", "product_name", "product_title", "full_name",
    "display_name", "book_title", "movie_title", "song", "track_name", "titel", "titre", "titulo", "título", "titolo",
    "nombre", "nom", "nome", "naam", "bezeichnung", "tytuł", "название",
)  # fmt: skip
# "original_name" is another title; "author_name" is not.
_QUALIFIERS = frozenset(
    {
        "original", "native", "alternative", "alternate", "alt", "short", "long", "full", "local", "localized",
        "english", "international", "official", "common", "scientific", "display", "other", "also", "known", "as",
        "aka", "latin", "romaji", "romanized", "kanji", "japanese", "german", "french", "spanish", "chinese",
        "korean", "en", "de", "fr", "es", "it", "ja", "jp", "ko", "zh", "ru", "pt", "sort",
    }
)  # fmt: skip
_NAMED_DISTINCT = 0.2
_SECOND_DISTINCT = 0.4
_GUESSED_DISTINCT = 0.7
_LONGEST_TITLE_WORDS = 30
_LONGEST_GUESS_LETTERS = 120
_FEWEST_GUESS_WORDS = 1.5
_SMALL_SAMPLE = 10  # rows; in so few, repetition says nothing


@dataclass(frozen=True, slots=True)
class Title:
    """A title and why.

    Attributes:
        is_first: Whether it is the one that is shown.
        is_guess: Whether only its values speak for it.
    """

    reason: str
    is_first: bool = True
    is_guess: bool = False


def choose_titles(profiles: Sequence[Profile]) -> dict[str, Title]:
    """Choose the titles by field name; at most one is first, and none is chosen where no field reads like one."""
    by_name = {"_".join(profile.words): profile for profile in reversed(profiles)}
    by_name |= {profile.name.lower(): profile for profile in reversed(profiles)}
    first = next(
        (by_name[name] for name in _NAMES if name in by_name and _can_be_title(by_name[name], _NAMED_DISTINCT)), None
    )
    if first is None:
        return _guess(profiles)
    titles = {first.name: Title(f"named {first.name}")}
    for profile in profiles:
        if profile is not first and _is_further_name(profile) and _can_be_title(profile, _SECOND_DISTINCT):
            titles[profile.name] = Title(f"another title beside {first.name}, by its name", is_first=False)
    return titles


def _guess(profiles: Sequence[Profile]) -> dict[str, Title]:
    likely = [
        profile
        for profile in profiles
        if _can_be_title(profile, _GUESSED_DISTINCT)
        and profile.words_per_value >= _FEWEST_GUESS_WORDS
        and profile.letters_per_value <= _LONGEST_GUESS_LETTERS
        and profile.present_count * 2 >= profile.row_count
    ]
    best = min(likely, key=lambda profile: profile.letters_per_value, default=None)
    if best is None:
        return {}
    return {best.name: Title("the shortest text of two words or more that seldom repeats", is_guess=True)}


def _can_be_title(profile: Profile, distinct_share: float) -> bool:
    return (
        not profile.is_list
        and profile.present_count > 0
        and profile.type in {FieldType.TEXT, FieldType.NUMBER, FieldType.DATE, FieldType.BOOLEAN}
        and (
            profile.type is FieldType.TEXT or distinct_share == _NAMED_DISTINCT
        )  # "1984" may be all the titles there are
        and profile.words_per_value <= _LONGEST_TITLE_WORDS
        and (profile.distinct_share >= distinct_share or profile.row_count < _SMALL_SAMPLE)
    )


def _is_further_name(profile: Profile) -> bool:
    words = set(profile.words)
    return "title" in words or ("name" in words and words - {"name"} <= _QUALIFIERS)
