"""Which numeric field says how much a row is sought."""

from collections.abc import Sequence

from livesearch.domain import Field, FieldType, Role

# Words of the name that must all stand in it, most telling first.
_SIGNS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"popularity"}, {"ratings", "count"}, {"rating", "count"}, {"num", "ratings"}, {"votes"},
            {"vote", "count"}, {"downloads"}, {"download", "count"}, {"installs"}, {"stars"}, {"stargazers"},
            {"star", "count"}, {"reverse", "dependencies"}, {"dependents"}, {"citations"}, {"citation", "count"},
            {"cited", "by"}, {"sales"}, {"sold"}, {"plays"}, {"play", "count"}, {"views"}, {"view", "count"},
            {"pageviews"}, {"hits"}, {"likes"}, {"like", "count"}, {"followers"}, {"favorites"}, {"favourites"},
            {"reviews", "count"}, {"review", "count"}, {"num", "reviews"}, {"ratings"}, {"reviews"}, {"subscribers"},
            {"members"}, {"score"}, {"points"}, {"population"},
        ),
    )
)  # fmt: skip
# Such a name measures size or an average, not demand.
_OTHER_MEASURES = frozenset(
    {"average", "avg", "mean", "bytes", "kb", "mb", "size", "percent", "pct", "rank", "ratio", "min", "max"}
)


def choose_popularity(fields: Sequence[Field]) -> str | None:
    """Choose among the numbers that can be sorted by; None where no name speaks for one."""
    best: tuple[int, str] | None = None
    for field in fields:
        if field.role is not Role.SORT or field.type is not FieldType.NUMBER or field.is_list:
            continue
        words = set(field.name.lower().replace("-", "_").replace(".", "_").replace(" ", "_").split("_"))
        if words & _OTHER_MEASURES:
            continue
        rank = next((rank for rank, sign in enumerate(_SIGNS) if sign <= words), None)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, field.name)
    return best[1] if best else None
