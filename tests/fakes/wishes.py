"""What was last written of each field, in memory, under one configuration."""

from dataclasses import dataclass, field, replace

from sync.store.wish_record import Place, WishRecord


@dataclass
class FakeWishes:
    """Keeps one record for each place."""

    records: dict[Place, WishRecord] = field(default_factory=dict)

    async def last(self, place: Place) -> WishRecord | None:
        return self.records.get(place)

    async def keep(self, record: WishRecord) -> None:
        self.records[record.place] = record

    async def settle(self, *places: Place) -> None:
        for place in set(places) & self.records.keys():
            kept = self.records[place]
            self.records[place] = replace(kept, is_taken=True, text="", advice="")

    async def forget(self, place: Place) -> None:
        self.records.pop(place, None)

    @property
    def told(self) -> dict[str, str]:
        """What is wrong, by field."""
        return {place.field: record.text for place, record in self.records.items() if record.text}
