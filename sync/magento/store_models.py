"""Store views and websites of Magento, under its own field names."""

from sync.magento.wire_types import ShopModel, Text


class StoreView(ShopModel):
    """A store view, which an order names, and the website it belongs to."""

    id: int
    code: str
    name: Text = ""
    website_id: int


class Website(ShopModel):
    """A website; its code is a market's name."""

    id: int
    code: str
    name: Text = ""
