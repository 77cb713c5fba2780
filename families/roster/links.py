"""Who is whose guardian: a child's row names them, or theirs names the child."""

from collections import defaultdict
from collections.abc import Container

from django.utils.translation import gettext as _

from .asked import Asked
from .bundle_state import no_such
from .known import Known
from .states import Table

CHILDREN, PARENTS = "children", "parents"
BOTH = frozenset([CHILDREN, PARENTS])


class Links:
    """The links that a bundle states, and those that its silence leaves standing."""

    def __init__(self, wanted: Asked, known: Known, children: Container[str]) -> None:
        self.wanted, self.known, self.children = wanted, known, children
        self.bulk = wanted.manifest.bulk("users.csv")
        self.refused = wanted.refused_people()
        # Which side states the links in this vendor's files; without a whole file, either may.
        self.sides: set[str] = set()
        stated: dict[str, set[str]] = defaultdict(set)
        for key, (row, agents) in wanted.agents.items():
            for agent in agents:
                if key in children:
                    self._by_child(key, agent, row, stated)
                if key in wanted.guardians and agent in children:
                    self.sides.add(PARENTS)
                    stated[agent].add(key)
        sets: dict[frozenset[str], frozenset[str]] = {}
        self.stated: dict[str, frozenset[str]] = {}
        while stated:
            child, guardians = stated.popitem()
            one = frozenset(guardians)
            self.stated[child] = sets.setdefault(one, one)  # brothers and sisters share it
        self.told_sides = self.sides | known.sides
        if not self.bulk:
            self.sides |= known.sides or BOTH

    def of(self, child: str) -> frozenset[str]:
        return self.stated.get(child, frozenset())

    def told(self, child: str) -> bool:
        """The file has the child's own row, so that we know all their guardians."""
        return child in self.wanted.agents

    def stands(self, child: str, guardian: str) -> bool:
        """Whether a link that stood before still does."""
        if guardian in self.of(child) or guardian in self.refused:
            return True
        if guardian in self.wanted.gone[Table.CAREGIVER]:
            return False
        return not self.told(child) if self.bulk else self.untold(child, guardian)

    def untold(self, child: str, guardian: str) -> bool:
        """A file of changes that doesn't repeat the row that would state their link."""
        if self.bulk:
            return False
        child_silent = CHILDREN in self.sides and child not in self.wanted.agents
        parent_silent = PARENTS in self.sides and guardian not in self.wanted.agents
        return child_silent or parent_silent

    def _by_child(self, child: str, agent: str, row: int, stated: dict[str, set[str]]) -> None:
        gone = agent in self.wanted.gone[Table.CAREGIVER]
        if agent in self.wanted.guardians or (
            not self.bulk and not gone and agent in self.known.guardians
        ):
            self.sides.add(CHILDREN)
            stated[child].add(agent)
        elif agent not in self.wanted.left and agent not in self.refused:
            reason = no_such("users.csv", agent)
            if gone:
                reason = _("%(id)s is no parent, guardian or relative by their role.")
                reason %= {"id": agent}
            self.wanted.refuse("users.csv", row, "agentSourcedIds", reason, child)
