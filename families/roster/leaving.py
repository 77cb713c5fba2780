"""How many would leave by a file: unusually many are asked about."""

from dataclasses import asdict, dataclass

# More than this share of a school's students, of the staff, or of the caregivers.
ASKED_ABOVE = 0.05


@dataclass(frozen=True)
class Leaving:
    """How many would leave one school, or the program (no school), out of how many.

    `who` is said of those who are neither students nor teachers.
    """

    school: str
    left: int
    of: int
    who: str = ""

    @property
    def many(self) -> bool:
        return self.left > self.of * ASKED_ABOVE

    def told(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if value or name != "who"}
