"""Accent- and case-blind names, without database extensions."""

import re
import unicodedata
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Func

# Letters that normalization leaves alone, and the plain ones people type for them.
_LETTERS = "łøđħıæœ"
_PLAIN = "lodhiao"
_FOLD = (
    "translate(replace(regexp_replace(lower(normalize({names}, NFKD)), "
    "'[\u0300-\u036f’''ʻʼ`]', '', 'g'), 'ß', 'ss'), '" + _LETTERS + "', '" + _PLAIN + "')"
)


class Folded(Func):
    """The named columns as one lower-case string without accents or apostrophes.

    With `as_vector`, its words as a text search vector: each as it is, and once more behind
    the program's mark, so that a search in one program reads that program's words alone.
    """

    def __init__(self, *names: str, as_vector: bool = False, **extra: Any) -> None:
        self.as_vector = as_vector
        super().__init__(*names, **extra)

    def as_sql(self, compiler, connection, **extra):  # type: ignore[override]
        parts = [compiler.compile(source) for source in self.source_expressions]
        names = " || ' ' || ".join(sql for sql, _ in parts)
        params = [param for _, more in parts for param in more]
        folded = _FOLD.format(names=f"({names})")
        if not self.as_vector:
            return folded, params
        marked = rf"regexp_replace({folded}, '[^\s\-,.]+', 'p' || program_id || 'z\&', 'g')"
        vector = f"to_tsvector('simple'::regconfig, {folded} || ' ' || {marked})"
        return vector, params * 2


def prefix_query(
    typed: str, program_id: int | None = None, *, whole: bool = False
) -> SearchQuery | None:
    """Every word of `typed` as a prefix ("nun jo" finds José Núñez), or `whole`; None if there
    is none."""
    words = re.findall(r"[^\W_]+", fold(typed))
    if not words:
        return None
    mark, end = f"p{program_id}z" if program_id else "", "" if whole else ":*"
    return SearchQuery(
        " & ".join(f"{mark}{word}{end}" for word in words), config="simple", search_type="raw"
    )


def fold(text: str) -> str:
    """Fold in Python just as `Folded` does in the database."""
    plain = unicodedata.normalize("NFKD", text).lower()
    plain = re.sub("[\u0300-\u036f’'ʻʼ`]", "", plain).replace("ß", "ss")
    return plain.translate(str.maketrans(_LETTERS, _PLAIN))
