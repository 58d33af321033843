"""Which news spills over to whom, and which way: by what a company is to which party.

    type            tie             the party's role                     expected move
    deal            supplier        supplier, lessor, investee, partner  up; down for a deal that
                    investor        the same, and target                 is cancelled or denied
                    peer            supplier, lessor, target
    export_control  supplier, peer  any                                  down for tighten, up for
                                                                         relax, else either
    expansion       supplier        any                                  up
    another type    supplier        any                                  either

Who buys is left out of a deal: that Microsoft rents computers of one company says nothing of its
other suppliers, and what a large company does would reach half the table. Customers are facts of
the table that no news spills over to. A move against the expectation is the company's own affair.
"""

from collections.abc import Mapping

from signals.messages import DealStatus, Direction

__all__ = ["expected_sign", "spills"]

_ANY: frozenset[str] | None = None
_DELIVERS = frozenset({"supplier", "lessor", "investee", "partner", "party"})
_SELLS = frozenset({"supplier", "lessor", "target"})

# By type and tie: the roles of the party whose news spills over to the tied company.
_ROLES: Mapping[str, Mapping[str, frozenset[str] | None]] = {
    "deal": {"supplier": _DELIVERS, "investor": _DELIVERS | {"target"}, "peer": _SELLS},
    "export_control": {"supplier": _ANY, "peer": _ANY},
    "expansion": {"supplier": _ANY},
}
_OTHER: Mapping[str, frozenset[str] | None] = {"supplier": _ANY}


def spills(event_type: str, *, role: str, reason: str) -> bool:
    """Return whether an event spills over to a company.

    Args:
        event_type: the event's.
        role: of the party that the company is tied to.
        reason: what the company is to that party: supplier, customer, peer or investor.
    """
    by_reason = _ROLES.get(event_type, _OTHER)
    if reason not in by_reason:
        return False
    roles = by_reason[reason]
    return roles is None or role in roles


def expected_sign(
    event_type: str, *, status: DealStatus | None, direction: Direction | None
) -> int:
    """Return which way a related company is expected to move: 1 up, -1 down, 0 for either."""
    if event_type == "deal":
        return -1 if status in ("cancelled", "denied") else 1
    if event_type == "export_control":
        return {"tighten": -1, "relax": 1}.get(direction or "", 0)
    return 1 if event_type == "expansion" else 0
