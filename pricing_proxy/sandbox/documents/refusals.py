"""How F&O refuses a write: the recorded envelopes and texts, and a few in their manner."""

_WRITE_FAILED = "Microsoft.Dynamics.Platform.Integration.Services.OData.ODataException"
_ODATA = "Microsoft.OData.ODataException"


class Refusal(Exception):  # noqa: N818 - it is the answer, not a mistake of ours
    """Why a write is not done.

    Attributes:
        text: For the envelope's inner message.
        kind: Its type.
        status: The HTTP status.
    """

    def __init__(self, text: str, kind: str = _WRITE_FAILED, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.kind = kind
        self.status = status


def mandatory(aot_entity: str, label: str) -> Refusal:
    """Return the refusal of a row without a field it must have."""
    return header_refused(aot_entity, f"Field '{label}' must be filled in.")


def not_found(aot_entity: str, value: str, label: str, table: str) -> Refusal:
    """Return the recorded refusal of a value that names nothing."""
    text = f"The value '{value}' in field '{label}' is not found in the related table '{table}'."
    return header_refused(aot_entity, text)


def header_refused(aot_entity: str, *warnings: str) -> Refusal:
    """Return a refusal by the validation of a header."""
    told = "".join(f"Warning: {text}; " for text in warnings)
    return _refused(
        aot_entity, f"{told}Warning: validateWrite failed on data source 'SalesTable (SalesTable)'."
    )


def line_refused(aot_entity: str, warning: str) -> Refusal:
    """Return a refusal by the validation of a line."""
    return _refused(aot_entity, f"Warning: {warning}; Error: Update has been canceled..")


def missing_dimension(aot_entity: str, dimension: str) -> Refusal:
    """Return the recorded refusal of a line without an inventory dimension that it needs."""
    text = f"Inventory dimension {dimension} is mandatory and must consequently be specified."
    return line_refused(aot_entity, text)


def unknown_property(entity: str, name: str) -> Refusal:
    """Return what OData says of a member that the type does not have."""
    text = (
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.DataEntities.{entity}'."
        " Make sure to only use property names that are defined by the type."
    )
    return Refusal(text, _ODATA)


def wrong_value(name: str, kind: str) -> Refusal:
    """Return what OData says of a value of another type."""
    return Refusal(f"The value of property '{name}' cannot be converted to type '{kind}'.", _ODATA)


def duplicate(table: str, value: str) -> Refusal:
    """Return the refusal of a key that exists; the real text is not recorded."""
    text = f"Cannot create a record in {table}. {value}. The record already exists."
    return Refusal(text, "System.InvalidOperationException")


def _refused(aot_entity: str, infolog: str) -> Refusal:
    return Refusal(f"Write failed for table row of type '{aot_entity}'. Infolog: {infolog}")
