"""The form of country codes; which countries there are is not simulated."""

from pricing_proxy.sandbox.documents.refusals import not_found
from pricing_proxy.sandbox.row_values import Row

_CODE_LENGTHS = {"CountryRegionId": 3, "CountryRegionISOCode": 2}


def check_country(row: Row, *, prefix: str, aot_entity: str) -> None:
    """Raise `Refusal` unless the country fields are empty, or of F&O's and ISO's form."""
    for suffix, length in _CODE_LENGTHS.items():
        code = row[f"{prefix}{suffix}"]
        if code and not (len(code) == length and code.isalpha()):
            raise not_found(aot_entity, code, "Country/region", "Countries/regions")
