"""Draw what comparisons have found as one page: it opens in any browser, and needs nothing else."""

from collections.abc import Sequence

import jinja2

from pricing_proxy.pages.drawing import environment, style_sheet
from sync.console.reconcile_tables import amount_text, cause_counts, value_text
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import DriftReport

_MEANS = {
    Cause.UNKNOWN_SKU: "One of the two systems does not have this article.",
    Cause.UNIT: "The shop counts in another unit than the ERP sells in. Compare the sales units.",
    Cause.IN_FLIGHT: "A customer ordered it, and the ERP does not have the order yet.",
    Cause.NOT_POSTED: "Goods moved in the shop; the ERP does not have the paper yet.",
    Cause.ERP_CHANGED: "The ERP moved since we read it; the shop follows at the next read.",
    Cause.OTHER_RUN: "An earlier write of ours arrived late, or was taken back.",
    Cause.SETTING: "The shop is set to sell it otherwise. See whether that is meant.",
    Cause.EDITED: "Somebody changed it in the shop.",
    Cause.UNEXPLAINED: "None of the known causes. Somebody should look.",
}
_TONES = {
    Cause.UNEXPLAINED: "bad",
    Cause.UNIT: "bad",
    Cause.UNKNOWN_SKU: "warn",
    Cause.SETTING: "warn",
    Cause.EDITED: "warn",
    Cause.OTHER_RUN: "warn",
    Cause.IN_FLIGHT: "good",
    Cause.NOT_POSTED: "good",
}


def drawn(reports: Sequence[DriftReport]) -> str:
    """Return the page; every text is escaped, whatever system it came from."""
    template: jinja2.Template = environment("sync.console").get_template("reconciliation.html")
    return template.render(
        reports=[(report, cause_counts(report)) for report in reports],
        means=_MEANS,
        tones=_TONES,
        style=style_sheet().decode(),
        value_text=value_text,
        amount_text=amount_text,
    )
