"""What to try with the sync, as commands to copy."""

import shlex
import sys
from pathlib import Path

_RENAMED = "SalesOrderHeadersV3.DeliveryModeCode:DeliveryMode"
# The shop begins with three customers.
_STRANGER = 4
# What no other command moves, no bundle holds, and all warehouses have.
_SOLD = "--sku LAMP-10 --sku LAMP-11 --sku LAMP-12 --quantity 2"
_PARCEL = "01505024000002"


def sync_commands(
    *, program: str, sync: str, configuration: Path, secrets: str, control_url: str, control: str
) -> dict[str, str]:
    """Return what to try, by what it shows.

    Args:
        program: How `pricing-proxy` is called.
        sync: How `d365-sync` is called.
        configuration: The configuration file.
        secrets: The assignment that names the secrets directory.
        control_url: Where the ERP's orders can be read.
        control: Options that name the control port, with a blank before them.
    """
    arrived = (
        f"curl -s {control_url}/systems/fo/orders | {shlex.quote(sys.executable)} -m json.tool "
        "| grep -E '^ {8}\"(number|reference|is_stopped)\"'"
    )
    option = f"--config {shlex.quote(str(configuration))}"
    run, page = f"{secrets} {sync}", configuration.parent / "drift.html"
    return {
        **_life_commands(program=program, run=run, option=option, control=control),
        **_mirror_commands(program=program, run=run, option=option, control=control),
        **_comparing(page, program=program, run=run, option=option, control=control),
        **_order_commands(arrived, program=program, run=run, option=option, control=control),
    }


def _order_commands(
    arrived: str, *, program: str, run: str, option: str, control: str
) -> dict[str, str]:
    """Return what to try with orders, and with what holds them."""
    order = f"{program} sandbox order --kind simple{control}"
    dial = f"{program} sandbox dial fo{control}"
    stranger = f"{program} sandbox customer --taxvat 'de 100 000 001'{control}"
    theirs = f"{program} sandbox order --customer {_STRANGER} --kind simple{control}"
    return {
        "An order, in the ERP a second later": f"{order}; sleep 2; {arrived}",
        "A field renamed in the ERP: the order is held, and an alert appears here": (
            f"{dial} rename_fields={_RENAMED}; {order}; sleep 8; {run} failed {option}"
        ),
        "Repaired and replayed": (
            f"{dial} rename_fields=; {run} replay --all-held --yes {option}; sleep 3; {arrived}"
        ),
        "Somebody registers with C-1001's tax number: they and their orders wait for a person": (
            f"{stranger}; {theirs}; sleep 8; {run} failed {option}"
        ),
        "Approved: their order is in the ERP, on C-1001": (
            f"{run} approve b2b_de/{_STRANGER} --yes {option}; sleep 5; {arrived}"
        ),
    }


def _life_commands(*, program: str, run: str, option: str, control: str) -> dict[str, str]:
    """Return the life of an order, step by step; all of them in one terminal."""
    sandbox, order = f"{program} sandbox", '"$ORDER"'
    story = f"{run} order {order} {option}"
    came_back = f"sleep 3; {story} | grep -E '^│ (shipment|parcel|invoice|credit memo) '"
    return {
        "The life of an order, step by step in one terminal: placed, and in the ERP": (
            f"ORDER=$({sandbox} order {_SOLD}{control} | grep -oE '[0-9]+$'); sleep 2; {story}"
        ),
        "Shipped in two parts from two warehouses: the shop has two shipments": (
            f"{sandbox} ship {order} --lines 1,2 --warehouse 13 --carrier DHL{control}; "
            f"{sandbox} ship {order} --lines 3 --warehouse 24 --carrier DPD{control}; {came_back}"
        ),
        "The second parcel has a number: it is on its shipment": (
            f"{sandbox} track {order} {_PARCEL}{control}; {came_back}"
        ),
        "Invoiced: an invoice in the shop": f"{sandbox} invoice {order}{control}; {came_back}",
        "Credited: a credit memo in the shop": f"{sandbox} credit {order}{control}; {came_back}",
        "All of it once, in both systems": story,
    }


def _mirror_commands(*, program: str, run: str, option: str, control: str) -> dict[str, str]:
    """Return what to try with what goes from the ERP to the shop."""
    runs, resync = f"{run} runs", f"{run} resync"
    return {
        "Catalog and stock of the ERP beside the shop's: a first look waits for a person": (
            f"{runs} {option}; "
            f"for run in 1 2; do {runs} approve $run --adopt overwrite --yes {option}; done"
        ),
        "12 lamps are counted in the ERP, and are in the shop": (
            f"{program} sandbox adjust LAMP-01 12{control}; "
            f"{resync} stock --sku LAMP-01 --yes {option}; "
            f"{program} sandbox stock LAMP-01{control}"
        ),
        "A lamp gets another name in the ERP, and in the shop": (
            f"{program} sandbox rename LAMP-01 'Desk lamp'{control}; "
            f"{resync} products --sku LAMP-01 --yes {option}; {runs} {option}"
        ),
        "The ERP says that all prices are 0: nothing is written, and an alert appears here": (
            f"{program} sandbox poison prices{control}; {resync} products --yes {option}; "
            f"{runs} {option}; {program} sandbox poison off{control}"
        ),
    }


def _comparing(page: Path, *, program: str, run: str, option: str, control: str) -> dict[str, str]:
    """Return what to try with what compares both systems."""
    order = f"{program} sandbox order --sku LAMP-06 --quantity 2{control}"
    look = f"{run} reconcile stock --plan {option}"
    return {
        "Somebody edits a lamp's stock in the shop: the comparison names the cause, and mends it": (
            f"{program} sandbox stock LAMP-01 --source berlin --quantity 99{control}; "
            f"{run} reconcile stock --html {shlex.quote(str(page))} {option}; sleep 20; "
            f"{program} sandbox stock LAMP-01{control}"
        ),
        "Orders are paused, and one is placed: the comparison of stock names it as the cause": (
            f"{run} pause orders {option}; sleep 2; {order}; sleep 1; {look}"
        ),
        "Resumed: the order is in the ERP, and nothing differs any more": (
            f"{run} resume orders {option}; sleep 8; {look}"
        ),
    }
