"""What a OneRoster bundle asks for, and how a file of changes leans on what is held already."""

from dataclasses import dataclass, field

from .manifest import Manifest
from .read_people import User
from .states import Table, Wanted


@dataclass
class Asked(Wanted):
    """What a OneRoster bundle asks for: of a file of changes, only what it says."""

    manifest: Manifest = field(default_factory=Manifest)
    # The school years it speaks of by their first days, and those of its classes.
    years: set[str] = field(default_factory=set)
    class_years: set[str] = field(default_factory=set)
    # The school year of each academic session, those of earlier files included.
    sessions: dict[str, str] = field(default_factory=dict)
    # Ids whose rows say that they are no more, or no more in this role.
    gone: dict[Table, set[str]] = field(default_factory=lambda: {table: set() for table in Table})
    # By person and class, the enrollment's own id.
    enrolled: dict[Table, dict[str, dict[str, str]]] = field(
        default_factory=lambda: {Table.STUDENT: {}, Table.EDUCATOR: {}}
    )
    led: dict[str, set[str]] = field(default_factory=dict)
    taught_at: dict[str, set[str]] = field(default_factory=dict)
    # Enrollments that are no more: classes by person, or only their own ids.
    dropped: dict[str, set[str]] = field(default_factory=dict)
    dropped_ids: set[str] = field(default_factory=set)
    # The parents, guardians and relatives; whom each person of the file names as agents, and on
    # which line; and who has left.
    guardians: dict[str, User] = field(default_factory=dict)
    agents: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    # Whose row of roles.csv was refused: what they are no more, we can't say. Of a row that
    # doesn't tell whose it is, "", and everybody is meant.
    doubtful_roles: set[str] = field(default_factory=set)

    def role_in_doubt(self, key: str) -> bool:
        return not self.doubtful_roles.isdisjoint(("", key))

    def refused_people(self) -> set[str]:
        """Of whom a row was refused, in users.csv or in roles.csv."""
        return self.refused_keys("users.csv") | self.doubtful_roles - {""}

    def nobody_is_missing(self) -> bool:
        """A refused row may be anybody's."""
        return self.in_doubt("users.csv") or "" in self.doubtful_roles
