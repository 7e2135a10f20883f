"""The shop lets in and refuses whom the recorded one did, by a check that shares no code."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.sandbox.shop.signatures import Doorman, Integration, sign
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.magento.auth import Credentials, authorization
from tests.magento.recordings import Recording, recordings, signing_vectors
from tests.shop.conftest import CREDENTIALS, SALES_ONLY, Wire
from tests.shop.replay import differences, replay

AUTH = recordings("auth")
VECTORS = signing_vectors()
RECORDED = Integration(
    consumer_id=1,
    consumer_key=VECTORS["consumer_key"],
    consumer_secret=VECTORS["consumer_secret"],
    token=VECTORS["token"],
    token_secret=VECTORS["token_secret"],
)
HOST = "http://127.0.0.1:18080"
# The server's clock when requests that lie about theirs came in.
FIRST, LATER = 1795417018, 1795417169
# Other integrations' secrets were not recorded; the admin's token is another way in.
# Two repeat nonces of requests that were not recorded.
OTHERS = ("08_", "09_", "11_", "12_", "13_", "17_", "18f", "19_")
LITERAL = [recording for name, recording in AUTH.items() if not name.startswith(OTHERS)]


def outcome(doorman: Doorman, recording: Recording) -> tuple[int, Any]:
    try:
        found = doorman.admit(
            recording.headers.get("Authorization", ""),
            method=recording.method,
            url=HOST + recording.path,
            is_revoked=False,
        )
    except RefusedError as refused:
        return refused.status, refused.body
    if found is None:
        return 401, AUTH["10_no_credentials"].answer
    return 200, recording.answer


def test_every_recorded_request_meets_its_recorded_end() -> None:
    """Their own headers, in their own order: a nonce used before is a nonce used before."""
    clock = FIRST
    doorman = Doorman(now=lambda: clock, integrations=(RECORDED,))
    for recording in LITERAL:
        clock = LATER if recording.name.startswith("18") else FIRST
        clock += 2000 if recording.name[:3] in ("18d", "18e", "18g", "18h") else 0
        status, body = outcome(doorman, recording)
        assert status == recording.status, recording.name
        if status != 200:
            assert body == recording.answer, recording.name


def test_nonces_know_no_case() -> None:
    doorman = Doorman(now=lambda: LATER + 2000, integrations=(RECORDED,))
    recording = AUTH["18f_nonce_differs_only_in_case"]
    header = recording.headers["Authorization"]
    fields: Any = {"method": "GET", "url": HOST + recording.path, "is_revoked": False}
    with pytest.raises(RefusedError, match="signature"):
        doorman.admit(header.replace("KPEWBXIXRZCUOBUYPHOX", "kpewbxixrzcuobuyphox"), **fields)
    with pytest.raises(RefusedError) as caught:
        doorman.admit(header, **fields)
    assert (caught.value.status, caught.value.body) == (recording.status, recording.answer)


def test_enough_requests_were_replayed() -> None:
    assert len(LITERAL) == 35


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["note"])
def test_the_servers_own_check_agrees_with_every_vector(vector: Any) -> None:
    fields = {
        "oauth_consumer_key": RECORDED.consumer_key,
        "oauth_nonce": vector["nonce"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(vector["timestamp"]),
        "oauth_token": RECORDED.token,
        "oauth_version": "1.0",
    }
    signature = sign(RECORDED, fields, method=vector["method"], url=vector["url"])
    assert signature == vector["signature"]


PATHS = st.text(alphabet="aZ09/%+&=,;:'\"()*!~ .é漢", max_size=12)
QUERIES = st.text(alphabet="aZ0189[]%+&=,;:'~.2F", max_size=24)


@given(path=PATHS, query=QUERIES)
def test_two_readings_of_the_rules_agree(path: str, query: str) -> None:
    """Written apart, client and server must come to the same signature for any address."""
    url = f"{HOST}/rest/V1/products/{path}?{query}"
    credentials = Credentials(
        consumer_key=RECORDED.consumer_key,
        consumer_secret=RECORDED.consumer_secret,
        token=RECORDED.token,
        token_secret=RECORDED.token_secret,
    )
    header = authorization(credentials, method="GET", url=url, nonce="n", timestamp=1)
    doorman = Doorman(now=lambda: FIRST, integrations=(RECORDED,))
    assert doorman.admit(header, method="GET", url=url, is_revoked=False) is RECORDED


async def test_a_nonce_is_burnt_by_a_request_that_was_refused(wire: Wire) -> None:
    wrong = Credentials(
        consumer_key=CREDENTIALS.consumer_key,
        consumer_secret=CREDENTIALS.consumer_secret,
        token=CREDENTIALS.token,
        token_secret="x" * 32,
    )
    path = AUTH["19_nonce_burnt_by_failed_signature"].path
    first = await wire.send("GET", path, credentials=wrong, nonce="once")
    assert list(differences(AUTH["03_oauth1_bad_signature"].answer, first.body, {})) == []
    second = await wire.send("GET", path, nonce="once")
    assert second.status == 401
    assert second.body == AUTH["19_nonce_burnt_by_failed_signature"].answer


@pytest.mark.parametrize(
    ("name", "credentials"),
    [
        ("01_oauth1_hmac_sha256_ok", CREDENTIALS),
        ("09_oauth1_acl_denied", SALES_ONLY),
        ("10_no_credentials", None),
        ("16_oauth1_with_query_ok", CREDENTIALS),
        ("20_sign_many_filters_index_0_to_9", CREDENTIALS),
        ("21b_sign_many_filters_index_0_to_11_natural_sorting", CREDENTIALS),
        ("22_sign_value_with_spaces_pct20", CREDENTIALS),
        ("24_sign_value_with_unicode_and_slash", CREDENTIALS),
    ],
)
async def test_answers_look_as_recorded(
    wire: Wire, name: str, credentials: Credentials | None
) -> None:
    answer = await replay(wire, AUTH[name], {}, credentials=credentials)
    assert "PHPSESSID=" in answer.headers["Set-Cookie"]


async def test_a_token_taken_back_is_refused_as_recorded(wire: Wire) -> None:
    await wire.turn(token_revoked=True)
    await replay(wire, AUTH["08_oauth1_revoked_token"], {})
