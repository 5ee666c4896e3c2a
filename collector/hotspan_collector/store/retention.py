"""How long spans are kept, by service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotspan_collector.sql import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DAY_NS", "Retention"]

DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days that spans are kept."""

    days: int
    by_service: Mapping[str, int] = field(default_factory=dict)
    """Of services that differ."""

    @property
    def longest_days(self) -> int:
        """Return the days of the service that is kept longest."""
        return max((self.days, *self.by_service.values()))

    @property
    def shortest_days(self) -> int:
        """Return the days of the service that goes first."""
        return min((self.days, *self.by_service.values()))

    def expressions(self) -> Mapping[str, str]:
        """Return what the insert's statement leaves open, in terms of `told`."""
        if not self.by_service:
            return {"{oldest}": "{oldest_ns:UInt64}", "{retention_days}": "0"}
        services = ", ".join(literal(name) for name in self.by_service)
        days = ", ".join(str(int(days)) for days in self.by_service.values())
        later_ns = ", ".join(
            f"toInt64({(self.days - days) * DAY_NS})" for days in self.by_service.values()
        )
        name = "told['service.name']"
        return {
            "{oldest}": "toInt64({oldest_ns:UInt64}) + "
            f"transform({name}, [{services}], [{later_ns}], toInt64(0))",
            "{retention_days}": f"transform({name}, [{services}], [{days}], 0)",
        }
