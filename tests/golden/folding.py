"""Fold a golden case with the rules that ship, and look at its stories."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from signals.messages import Alert, Headline, MoveReport, PriceSample, Reaction
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.codec import encode
from streams.replay import Pipeline, order_alerts
from streams.sources.headlines_file import read_headlines
from tests.builders import as_input, canonical

_CASES = Path(__file__).parent / "cases"

Inputs = list[Headline | PriceSample]


@dataclass
class Folded:
    """What came of a case, folded in the order of receipt.

    ``alerts`` are in the order in which they became known, ``reactions`` as last sent.
    """

    pipeline: Pipeline
    alerts: list[Alert]
    reactions: list[Reaction] = field(default_factory=list)
    reports: list[MoveReport] = field(default_factory=list)

    def standing(self, type_: str | None = None, *parties: str) -> list[Alert]:
        """The last alert of every story that stands, of a type and between these parties."""
        last = {alert.alert_id: alert for alert in self.alerts}
        return [
            alert
            for alert in last.values()
            if alert.kind not in ("retracted", "superseded")
            and (type_ is None or alert.type == type_)
            and (not parties or {party.id for party in alert.parties} == set(parties))
        ]

    def about_moves(self, ticker: str) -> list[Alert]:
        """The alerts about a ticker's move by itself."""
        return [a for a in self.alerts if a.type is None and a.tickers == (ticker,)]

    def told_by(self, alert: Alert) -> set[str]:
        """The headlines of an alert's story, also those that changed nothing that it shows."""
        rows = self.pipeline.state("raise_alerts", alert.anchor)
        (group,) = [
            row
            for part, row in rows.items()
            if part.startswith("telling:")
            and alert.event_ids[0] in {member.event_id for member in row.members}
        ]
        return {rows[f"event:{member.event_id}"].event.headline_id for member in group.members}

    def moves_of(self, ticker: str) -> dict[tuple[str, str], Reaction]:
        """The ticker's live reactions, by relation and milestone."""
        return {
            (r.move.relation, r.move.milestone): r
            for r in self.reactions
            if r.move.ticker == ticker
        }


def case(name: str) -> list[Headline]:
    """The headlines of a case in ``tests/golden/cases``."""
    return list(read_headlines(_CASES / f"{name}.jsonl"))


def fold(inputs: Iterable[Headline | PriceSample]) -> Folded:
    """Fold inputs in the order of their receipt."""
    pipeline = Pipeline(assemble_agents(Policy()))
    alerts: list[Alert] = []
    reactions: dict[str, Reaction] = {}
    reports: list[MoveReport] = []
    for message in canonical(inputs):
        for output in pipeline.feed(*as_input(message)):
            match output.message:
                case Alert():
                    alerts.append(output.message)
                case Reaction():
                    reactions[output.message.reaction_id] = output.message
                case MoveReport():
                    reports.append(output.message)
    assert not pipeline.dead
    live = [reaction for reaction in reactions.values() if reaction.status == "live"]
    return Folded(pipeline, order_alerts(alerts), live, reports)


def alert_log(inputs: Iterable[Headline | PriceSample]) -> list[bytes]:
    """The encoded alerts of inputs, in the order in which they became known."""
    return [encode(alert) for alert in fold(inputs).alerts]
