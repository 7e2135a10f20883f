"""Problems that events are answered with, beside those of any listener."""

from pricing_proxy.problem_details import Problem

MISSING_HEADER = Problem(401, "missing_header", "Send the header named in errors.")
MALFORMED_HEADER = Problem(401, "malformed_header", "Correct the header named in errors.")
WRONG_SIGNATURE = Problem(401, "wrong_signature", "Sign with the shared secret.", "X-Signature")
WRONG_SECRET = Problem(
    401,
    "wrong_secret",
    "Send the secret at the end of the path, or in the header that sync.intake.erp_header names.",
)
TIMESTAMP_OUT_OF_RANGE = Problem(
    401,
    "timestamp_out_of_range",
    "Compare the shop's clock with this machine's.",
    "X-Timestamp",
)
REPEATED_EVENT = Problem(
    409,
    "repeated_event",
    "This event was taken already; expected an id that was not used before.",
    "X-Event-Id",
)
