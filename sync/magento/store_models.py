"""Store views and websites of Magento, under its own field names."""

from sync.magento.wire_types import Text, WireModel


class StoreView(WireModel):
    """A store view, which an order names, and the website it belongs to."""

    id: int
    code: str
    name: Text = ""
    website_id: int


class Website(WireModel):
    """A website; its code is a market's name."""

    id: int
    code: str
    name: Text = ""
