"""How the simulated Entra ID judges secrets, certificates and federated tokens, over the wire."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pricing_proxy.sandbox.app_judge import ASSERTION_TYPE
from pricing_proxy.sandbox.app_proofs import in_base64
from pricing_proxy.sandbox.server import Sandbox
from tests.sandbox.conftest import Client
from tests.virtual_time import ManualClock

OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
Change = Callable[[dict[str, Any], dict[str, Any]], None]
"""Changes the head and the claims of an assertion."""


async def made(client: Client, what: str, **members: Any) -> Path:
    answer = await client.control("POST", f"entra/{what}", {"app": "demo-pricing", **members})
    assert answer.status == 201, await answer.text()
    return Path((await answer.json())["file"])


async def refused(client: Client, text: str) -> list[int]:
    """Return the numbers of the refusal of an assertion; none where it is taken."""
    form = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
    answer = await client.sign_in(**form)
    body = await answer.json()
    if answer.status == 200:
        return []
    (number,) = body["error_codes"]
    told = f"AADSTS{number}: "
    assert body["error_description"].startswith(told)
    assert body["trace_id"] in body["error_description"]
    assert str(number) in body["error_uri"]
    assert (answer.status, body["error"]) in {(401, "invalid_client"), (400, "invalid_request")}
    return [number]


class Signed:
    """Assertions that are signed by a certificate's key, as msal does."""

    def __init__(self, sandbox: Sandbox, clock: ManualClock, file: Path) -> None:
        content = file.read_bytes()
        self.key: Any = serialization.load_pem_private_key(content, None)
        self.certificate = x509.load_pem_x509_certificates(content)[0]
        self._clock = clock
        self._endpoint = f"{sandbox.authority}/oauth2/v2.0/token"

    def text(self, change: Change = lambda _, __: None, *, key: Any = None) -> str:
        now = int(self._clock.utc().timestamp())
        head: dict[str, Any] = {
            "x5t#S256": in_base64(self.certificate.fingerprint(hashes.SHA256()))
        }
        claims: dict[str, Any] = {
            "iss": "demo-pricing",
            "sub": "demo-pricing",
            "aud": self._endpoint,
            "nbf": now,
            "iat": now,
            "exp": now + 600,
            "jti": "1",
        }
        change(head, claims)
        algorithm = head.pop("alg", "PS256")
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers=head)


@pytest.fixture
async def signed(client: Client, sandbox: Sandbox, clock: ManualClock) -> Signed:
    return Signed(sandbox, clock, await made(client, "certificates"))


async def test_a_registered_certificate_is_taken_by_either_thumbprint(
    client: Client, signed: Signed
) -> None:
    def old(head: dict[str, Any], _: dict[str, Any]) -> None:
        del head["x5t#S256"]
        der = signed.certificate.public_bytes(serialization.Encoding.DER)
        head.update({"alg": "RS256", "x5t": in_base64(hashlib.sha1(der).digest())})  # noqa: S324

    assert await refused(client, signed.text()) == []
    assert await refused(client, signed.text(old)) == []


async def test_each_wrong_assertion_by_certificate_has_its_number(
    client: Client, signed: Signed
) -> None:
    cases: list[tuple[int, Change]] = [
        (700027, lambda head, _: head.update({"x5t#S256": "AAAA"})),
        (700021, lambda _, claims: claims.update(iss="demo-sync")),
        (700021, lambda _, claims: claims.update(sub="demo-sync")),
        (700023, lambda _, claims: claims.update(aud="https://elsewhere.example/token")),
        (700024, lambda _, claims: claims.update(exp=claims["nbf"] - 301)),
        (700024, lambda _, claims: claims.update(nbf=claims["nbf"] + 301)),
        (700024, lambda _, claims: claims.pop("exp")),
    ]
    for number, change in cases:
        assert await refused(client, signed.text(change)) == [number]
    assert await refused(client, signed.text(key=OTHER_KEY)) == [700027]
    assert await refused(client, "no token") == [50027]


async def test_a_certificate_of_another_app_is_not_registered(
    client: Client, signed: Signed
) -> None:
    form = {"client_assertion": signed.text(), "client_assertion_type": ASSERTION_TYPE}
    body = await (await client.sign_in(client_id="demo-sync", **form)).json()

    assert body["error_codes"] == [700027]


async def test_a_certificate_ends_by_the_tenants_clock(
    client: Client, signed: Signed, clock: ManualClock
) -> None:
    clock.advance(timedelta(days=364))
    assert await refused(client, signed.text()) == []
    clock.advance(timedelta(days=1))
    assert await refused(client, signed.text()) == [700027]


async def test_rotation_ends_the_old_certificate_unless_it_is_kept(
    client: Client, signed: Signed
) -> None:
    await made(client, "certificates", keep_old=True)
    assert await refused(client, signed.text()) == []
    await made(client, "certificates")
    assert await refused(client, signed.text()) == [700027]


async def test_a_federated_token_is_taken_and_its_issuer_publishes_the_key(
    client: Client, sandbox: Sandbox
) -> None:
    text = (await made(client, "tokens")).read_text()
    root = sandbox.authority.rpartition("/")[0]
    connector = client.session.get
    keys = await (await connector(f"{root}/platform/keys", ssl=False)).json()
    there = await (
        await connector(f"{root}/platform/.well-known/openid-configuration", ssl=False)
    ).json()

    (key,) = jwt.PyJWKSet.from_dict(keys).keys
    claims = jwt.decode(
        text,
        key,
        algorithms=["RS256"],
        options={"verify_exp": False},
        audience="api://AzureADTokenExchange",
    )
    assert claims["iss"] == there["issuer"]
    assert await refused(client, text) == []


async def test_each_wrong_federated_token_has_its_number(client: Client) -> None:
    cases: list[tuple[int, dict[str, Any]]] = [
        (700211, {"claims": {"iss": "https://elsewhere.example/"}}),
        (700213, {"claims": {"sub": "system:serviceaccount:demo:other"}}),
        (7002138, {"claims": {"sub": "system:serviceaccount:Demo:demo-pricing"}}),
        (700212, {"claims": {"aud": ["https://kubernetes.default.svc"]}}),
        (700024, {"seconds": -301}),
    ]
    for number, members in cases:
        text = (await made(client, "tokens", **members)).read_text()
        assert await refused(client, text) == [number]


async def test_a_federated_token_that_its_issuer_did_not_sign_is_refused(client: Client) -> None:
    text = (await made(client, "tokens")).read_text()
    head, claims = (
        jwt.get_unverified_header(text),
        jwt.decode(text, options={"verify_signature": False}),
    )
    forged = jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": head["kid"]})
    unknown = jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": "2"})

    assert await refused(client, forged) == [50013]
    assert await refused(client, unknown) == [5000811]


async def test_an_app_trusts_no_platform_before_it_is_told_to(client: Client) -> None:
    text = (await made(client, "tokens", app="demo-sync")).read_text()

    assert await refused(client, text) == [700211]


@pytest.mark.parametrize(
    ("proof", "fault", "number"),
    [
        ("secret", "expired", 7000222),
        ("secret", "unknown", 7000215),
        ("certificate", "expired", 700027),
        ("certificate", "unknown", 700027),
        ("token", "expired", 700024),
        ("token", "unknown", 700213),
    ],
)
async def test_dial_ends_one_proof_and_leaves_the_others(
    client: Client, signed: Signed, proof: str, fault: str, number: int
) -> None:
    token = (await made(client, "tokens")).read_text()
    await client.turn("entra", proof_faults={proof: fault})
    answers = {
        "secret": (await (await client.sign_in()).json()).get("error_codes", []),
        "certificate": await refused(client, signed.text()),
        "token": await refused(client, token),
    }

    assert answers == {"secret": [], "certificate": [], "token": [], proof: [number]}


async def test_request_without_any_proof_is_told_what_is_missing(client: Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "demo-pricing"}
    address = f"{client.sandbox.authority}/oauth2/v2.0/token"
    answer = await client.session.post(address, data=form, ssl=False)

    assert answer.status == 401
    assert (await answer.json())["error_codes"] == [7000218]


@pytest.mark.parametrize(
    ("what", "members", "at_fault"),
    [
        ("certificates", {"app": "nobody"}, "app"),
        ("certificates", {"days": 0}, "days"),
        ("certificates", {"days": "many"}, "days"),
        ("certificates", {"keep_old": 1}, "keep_old"),
        ("certificates", {"day": 1}, "day"),
        ("tokens", {"app": 1}, "app"),
        ("tokens", {"seconds": 1.5}, "seconds"),
        ("tokens", {"claims": []}, "claims"),
        ("tokens", {"claim": {}}, "claim"),
    ],
)
async def test_wrong_members_are_named(
    client: Client, what: str, members: dict[str, Any], at_fault: str
) -> None:
    answer = await client.control("POST", f"entra/{what}", {"app": "demo-pricing", **members})

    assert answer.status == 422
    assert at_fault in await answer.text()


@pytest.mark.parametrize("value", ["secret", {"secret": "lost"}, {"password": "expired"}, [1]])
async def test_wrong_fault_is_refused(client: Client, value: Any) -> None:
    answer = await client.control("PATCH", "entra/dials", {"proof_faults": value})

    assert answer.status == 422
    assert "proof_faults" in await answer.text()
