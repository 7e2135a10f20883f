"""The REST routes that the shop serves: method, path, access resource, and what they do.

Whether a route may be called is settled before (`app`). `name` is how calls are counted.
"""

from pricing_proxy.sandbox.shop import reading, states
from pricing_proxy.sandbox.shop.bulk.routes import BULK_ROUTES
from pricing_proxy.sandbox.shop.document_comments import (
    comment_on_shipment,
    comments_of_shipment,
)
from pricing_proxy.sandbox.shop.inventory.routes import INVENTORY_ROUTES
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.products.routes import PRODUCT_ROUTES
from pricing_proxy.sandbox.shop.refunds import refund, refund_invoice
from pricing_proxy.sandbox.shop.route import ANONYMOUS, Route
from pricing_proxy.sandbox.shop.shipments import UNSAVED_SHIPMENT, add_track, remove_track, ship
from pricing_proxy.sandbox.shop.sign_in import MANAGE, SELF
from pricing_proxy.sandbox.shop.stores import view_bodies, website_bodies
from pricing_proxy.sandbox.shop.whole_saves import named_order
from pricing_proxy.sandbox.shop.wire import RefusedError
from pricing_proxy.sandbox.shop.writes import Failure

SALES = "Magento_Sales::"
_UNSAVED_INVOICE = "Could not save an invoice, see error log for details"
_UNSAVED_MEMO = "Could not save a Creditmemo, see error log for details"
_INVOICES = f"{SALES}sales_invoice"
_MEMOS = f"{SALES}sales_creditmemo"


ROUTES = (
    Route(
        "GET",
        "store/storeViews",
        "Magento_Backend::store",
        "store_views",
        lambda _: view_bodies(),
    ),
    Route(
        "GET",
        "store/websites",
        "Magento_Backend::store",
        "websites",
        lambda _: website_bodies(),
    ),
    Route("GET", "orders", f"{SALES}actions_view", "orders", reading.orders),
    Route(
        "POST",
        "orders",
        f"{SALES}create",
        "save_order",
        lambda call: states.save_members(call.shop, call.body),
        saves=named_order,
    ),
    Route(
        "GET",
        "orders/*",
        f"{SALES}actions_view",
        "order",
        reading.order,
    ),
    Route("GET", "orders/*/comments", f"{SALES}actions_view", "order_comments", reading.comments),
    Route(
        "POST",
        "orders/*/comments",
        f"{SALES}comment",
        "add_order_comment",
        lambda call: states.comment(call.shop, call.number(), call.body),
        saves=lambda call: call.number(),
    ),
    Route(
        "POST",
        "orders/*/hold",
        f"{SALES}hold",
        "hold",
        lambda call: states.hold(call.shop, call.number()),
    ),
    Route(
        "POST",
        "orders/*/unhold",
        f"{SALES}unhold",
        "unhold",
        lambda call: states.unhold(call.shop, call.number()),
    ),
    Route(
        "POST",
        "orders/*/cancel",
        f"{SALES}cancel",
        "cancel",
        lambda call: states.cancel(call.shop, call.number()),
    ),
    Route(
        "POST",
        "order/*/invoice",
        f"{SALES}invoice",
        "invoice",
        lambda call: invoice(call.shop, call.number(), call.body),
        failure=Failure(deadlock=_UNSAVED_INVOICE),
    ),
    Route(
        "POST",
        "order/*/ship",
        f"{SALES}ship",
        "ship",
        lambda call: ship(call.shop, call.number(), call.body),
        failure=Failure(deadlock=UNSAVED_SHIPMENT, no_search=RefusedError(400, UNSAVED_SHIPMENT)),
    ),
    Route(
        "POST",
        "order/*/refund",
        f"{SALES}creditmemo",
        "refund",
        lambda call: refund(call.shop, call.number(), call.body),
        failure=Failure(deadlock=_UNSAVED_MEMO),
    ),
    Route(
        "POST",
        "invoice/*/refund",
        f"{SALES}creditmemo",
        "refund_invoice",
        lambda call: refund_invoice(call.shop, call.number(), call.body),
        failure=Failure(deadlock=_UNSAVED_MEMO),
    ),
    Route("GET", "invoices", _INVOICES, "invoices", reading.documents("invoices")),
    Route("GET", "invoices/*", _INVOICES, "one_invoice", reading.document("invoices")),
    Route("GET", "shipments", f"{SALES}shipment", "shipments", reading.documents("shipments")),
    Route("GET", "shipment/*", f"{SALES}shipment", "one_shipment", reading.document("shipments")),
    Route(
        "POST",
        "shipment/track",
        f"{SALES}shipment",
        "add_track",
        lambda call: add_track(call.shop, call.body),
    ),
    Route(
        "DELETE",
        "shipment/track/*",
        f"{SALES}shipment",
        "remove_track",
        lambda call: remove_track(call.shop, call.number()),
    ),
    Route(
        "GET",
        "shipment/*/comments",
        f"{SALES}shipment",
        "shipment_comments",
        lambda call: comments_of_shipment(call.shop, call.number()),
    ),
    Route(
        "POST",
        "shipment/*/comments",
        f"{SALES}shipment",
        "comment_on_shipment",
        lambda call: comment_on_shipment(call.shop, call.body),
    ),
    Route(
        "GET",
        "creditmemos",
        _MEMOS,
        "credit_memos",
        reading.documents("credit_memos"),
    ),
    Route(
        "GET",
        "creditmemo/*",
        _MEMOS,
        "credit_memo",
        reading.document("credit_memos"),
    ),
    Route(
        "POST",
        "customers",
        ANONYMOUS,
        "create_customer",
        lambda call: call.shop.sign_in.register(
            call.body, call.members("customer"), may_manage=call.may(MANAGE)
        ),
    ),
    Route(
        "POST",
        "integration/customer/token",
        ANONYMOUS,
        "customer_token",
        lambda call: call.shop.sign_in.token(call.body, website=call.website),
    ),
    Route(
        "GET",
        "customers/me",
        SELF,
        "own_customer",
        lambda call: call.shop.customers.get(call.caller),
    ),
    Route(
        "PUT",
        "customers/me",
        SELF,
        "save_own_customer",
        lambda call: call.shop.customers.change_own(call.caller, call.members("customer")),
    ),
    Route(
        "GET",
        "attributeMetadata/customer/attribute/*",
        "Magento_Customer::customer",
        "customer_attribute",
        lambda call: call.shop.customers.attribute(call.places[0]),
    ),
    Route("GET", "customers/search", "Magento_Customer::customer", "customers", reading.customers),
    Route(
        "GET",
        "customers/*",
        "Magento_Customer::customer",
        "customer",
        reading.customer,
    ),
    Route(
        "PUT",
        "customers/*",
        MANAGE,
        "save_customer",
        lambda call: call.shop.customers.change(call.number(), call.members("customer")),
    ),
    Route(
        "DELETE",
        "customers/*",
        "Magento_Customer::delete",
        "delete_customer",
        lambda call: call.shop.remove_customer(call.number()),
    ),
    *PRODUCT_ROUTES,
    *BULK_ROUTES,
    *INVENTORY_ROUTES,
)


def route_of(method: str, segments: tuple[str, ...]) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route of a path and what stands in its places; None when there is none."""
    for route in ROUTES:
        places = route.places(segments) if route.method == method else None
        if places is not None:
            return route, places
    return None
