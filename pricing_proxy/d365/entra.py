"""Tokens from Microsoft Entra ID, by client credentials through msal.

By what an app proves who it is, `client_proof` says for each token.
msal is synchronous, and its constructor already talks to the network: it lives in a
single thread of its own, is built there on first use, and gets an HTTP client of
ours, because its own has no time-outs and lets `REQUESTS_CA_BUNDLE` override an
explicit CA file. msal's two caches are kept out of the way: the token cache would
hand back a token that was refused or is due for renewal, the HTTP cache would repeat
an error for up to a minute. So every error answer leaves here as an `UpstreamError`
before msal sees it. A message holds the OAuth error code and the AADSTS number only,
never the description, which may quote what was sent.
"""

import asyncio
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msal
import requests
from requests.adapters import HTTPAdapter

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.entra_apps import EntraApp
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.proxies import Proxy
from pricing_proxy.d365.auth import TOKEN_SYSTEM, IssuedToken
from pricing_proxy.d365.client_proof import Proof, UnusableProofError, proof
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.retry_after import read_retry_after

# A token takes two short requests; a healthy Entra answers each within half a second.
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 10.0
WayOut = Callable[[str], Proxy | None]
"""Returns the proxy on the way to an address; None for the straight way."""

_AADSTS = re.compile(r"AADSTS\d{4,8}", re.ASCII)
_OAUTH_CODE = re.compile(r"[a-z_]{1,60}", re.ASCII)
_PASSING_CODES = ("temporarily_unavailable", "server_error")
# What msal raises when JSON that is not Entra's reaches it, such as metadata without endpoints.
_ODD_ANSWERS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)


def entra_tokens(
    environment: Environment, app: EntraApp, *, clock: Clock, read_seconds: float = _READ_SECONDS
) -> "EntraTokens":
    """Return what issues tokens for an environment to one of our apps."""
    return EntraTokens(
        authority=f"{environment.authority}/{environment.tenant}",
        client_id=app.client_id,
        proof=proof(app, clock=clock),
        scope=f"{environment.url}/.default",
        clock=clock,
        ca_file=environment.ca_file,
        way_out=environment.proxy_to,
        read_seconds=read_seconds,
    )


class EntraTokens:
    """Issues tokens for one Entra application; `async with` it, so that its thread ends with it."""

    def __init__(
        self,
        *,
        authority: str,
        client_id: str,
        proof: Proof,
        scope: str,
        clock: Clock,
        ca_file: Path | None = None,
        way_out: WayOut = lambda _: None,
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        """Keep what is needed; nothing is contacted before the first token.

        Args:
            authority: `https://login.microsoftonline.com/{tenant}`, or another with its shape.
            client_id: The application's id.
            proof: By what it proves who it is.
            scope: `{environment URL}/.default`; the URL in lower case and without a slash at its
                end, since F&O compares it with the token's audience.
            clock: Measures a `Retry-After` given as a date.
            ca_file: Certificates to trust instead of the usual ones.
            way_out: Returns the proxy on the way to an address.
            read_seconds: How long Entra may stay silent within one of the two requests.
        """
        self._authority = authority
        self._client_id = client_id
        self._proof = proof
        self._scope = scope
        self._http = _EntraHttp(
            clock=clock, ca_file=ca_file, way_out=way_out, read_seconds=read_seconds
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="msal")
        self._application: Any = None
        self._used: Any = None

    async def __aenter__(self) -> Self:
        """Return itself; the thread starts with the first token."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close connections and end the thread, after what it is doing now."""
        self._thread.submit(self._http.close)
        await asyncio.to_thread(self._thread.shutdown)

    def certificate_ends_at(self) -> datetime | None:
        """Return until when the certificate in use is good; None where there is none."""
        return self._proof.certificate_ends_at()

    async def issue(self) -> IssuedToken:
        """Return a new token.

        Raises:
            UpstreamDeniedError: Tenant, client id, proof or scope is wrong, or its file is.
            UpstreamThrottledError: Entra asked us to wait.
            UpstreamTimeoutError: No answer in time.
            UpstreamUnavailableError: Entra cannot be reached, or failed.
            UpstreamContractError: An answer without a token.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._issue)

    def _issue(self) -> IssuedToken:
        """Run in the thread."""
        try:
            return _read_token(self._ask())
        except UpstreamError as exc:
            # Its frames hold the secret, and the connection, which closing would not close then.
            raise exc.with_traceback(None)  # noqa: B904 - the very same error, without them
        except UnusableProofError as exc:
            # As if it had been asked: it could say nothing else.
            raise UpstreamDeniedError(
                str(exc), system=TOKEN_SYSTEM, status=HTTPStatus.UNAUTHORIZED
            ) from exc.with_traceback(None)
        except requests.Timeout as exc:
            raise UpstreamTimeoutError(
                "no token in time", system=TOKEN_SYSTEM
            ) from exc.with_traceback(None)
        except OSError as exc:
            raise _unreachable(exc) from exc.with_traceback(None)
        except _ODD_ANSWERS as exc:
            raise UpstreamContractError(
                "the authority's answers are not Entra's", system=TOKEN_SYSTEM
            ) from exc.with_traceback(None)

    def _ask(self) -> dict[str, Any]:
        credential = self._proof.credential()
        if credential is not self._used:
            self._application = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=credential,
                authority=self._authority,
                # The authority is configured, not discovered; asking Microsoft about it would
                # fail for one on loopback, and is one more thing that can be away.
                instance_discovery=False,
                http_client=self._http,
            )
            self._used = credential
        # Else msal returns the cached token, which is the one to be replaced.
        self._application.remove_tokens_for_client()
        answer: dict[str, Any] = self._application.acquire_token_for_client([self._scope])
        return answer


class _EntraHttp:
    """The part of `requests.Session` that msal uses, with our time-outs, CA and errors.

    Redirects are not followed: the secret would follow too.
    """

    def __init__(
        self, *, clock: Clock, ca_file: Path | None, way_out: WayOut, read_seconds: float
    ) -> None:
        self._clock = clock
        self._way_out = way_out
        self._session = requests.Session()
        # Else REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, .netrc and others' proxies would win over what is
        # configured.
        self._session.trust_env = False
        self._session.verify = str(ca_file) if ca_file is not None else True
        adapter = _TimedAdapter((_CONNECT_SECONDS, read_seconds))
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(self, url: str, **options: Any) -> requests.Response:
        return self._checked(
            self._session.get(url, allow_redirects=False, proxies=self._proxies(url), **options)
        )

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._checked(
            self._session.post(url, allow_redirects=False, proxies=self._proxies(url), **options)
        )

    def close(self) -> None:
        self._session.close()

    def _proxies(self, url: str) -> dict[str, str]:
        proxy = self._way_out(url)
        return {} if proxy is None else {"https": proxy.secret_url}

    def _checked(self, response: requests.Response) -> requests.Response:
        body = _json_object(response)
        status = response.status_code
        retry_after = read_retry_after(response.headers, now=self._clock.utc())
        if status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
        ):
            raise UpstreamThrottledError(
                f"{TOKEN_SYSTEM} answered {status}", system=TOKEN_SYSTEM, retry_after=retry_after
            )
        if status >= HTTPStatus.BAD_REQUEST:
            raise _refusal(body or {}, status=status)
        if body is None or status >= HTTPStatus.MULTIPLE_CHOICES:
            # msal would log the whole body of such an answer.
            raise UpstreamContractError(
                f"{TOKEN_SYSTEM} answered without JSON", system=TOKEN_SYSTEM
            )
        return response


class _TimedAdapter(HTTPAdapter):
    """Gives every request time-outs; `requests` itself waits for ever."""

    def __init__(self, seconds: tuple[float, float]) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        options["timeout"] = self._seconds
        return super().send(request, **options)


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _read_token(answer: dict[str, Any]) -> IssuedToken:
    if "error" in answer:
        raise _refusal(answer, status=HTTPStatus.UNAUTHORIZED)
    text = answer["access_token"]
    lifetime = timedelta(seconds=int(answer["expires_in"]))
    if not isinstance(text, str) or not text or lifetime <= timedelta():
        raise ValueError("a token without text or life")
    return IssuedToken(text=text, lifetime=lifetime)


def _refusal(body: dict[str, Any], *, status: int) -> UpstreamError:
    code = str(body.get("error", ""))
    number = _AADSTS.search(str(body.get("error_description", "")))
    told = [code] if _OAUTH_CODE.fullmatch(code) else []
    told += [number.group()] if number else []
    message = " ".join([f"{TOKEN_SYSTEM} answered {status}", *told])
    is_passing = status == HTTPStatus.REQUEST_TIMEOUT or code in _PASSING_CODES
    if is_passing or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpstreamUnavailableError(message, system=TOKEN_SYSTEM)
    return UpstreamDeniedError(message, system=TOKEN_SYSTEM, status=status)


def _unreachable(exc: OSError) -> UpstreamError:
    match exc:
        case requests.exceptions.ProxyError():
            what = "cannot be reached: the proxy on the way refuses, or does not answer"
        case requests.exceptions.SSLError():
            what = "has a certificate that is not trusted"
        case requests.RequestException():
            what = "cannot be reached"
        case _:
            what = "was not asked: the CA file cannot be read"
    return UpstreamUnavailableError(
        f"{TOKEN_SYSTEM} {what}", system=TOKEN_SYSTEM, is_connection_failure=True
    )
