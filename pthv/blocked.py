"""Why not yet: the one way in which an action says no."""

from collections.abc import Iterable


class NotReady(Exception):
    """What was asked can't be done yet; `sentences` say why and what to do about it."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(map(str, sentences)))
        self.sentences = list(map(str, sentences))


class Changed(NotReady):
    """Somebody saved the same since it was read: what both wrote is still there to choose from."""


def raise_if(sentences: Iterable[str]) -> None:
    """Raise NotReady if there is any sentence."""
    if reasons := list(sentences):
        raise NotReady(*reasons)
