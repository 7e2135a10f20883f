"""Draw a page from its template, with what browsers may do with it.

Every text is escaped by jinja2, whatever system it came from. What a page is not given is
shown as missing (`-`) instead of failing: a page that breaks with the part it should report
helps nobody.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from jinja2.bccache import Bucket

NONE = "-"
"""Shown where there is no value."""
_HERE = "pricing_proxy.pages"


def policy() -> str:
    """Return a page's Content-Security-Policy: its own listener's style and scripts, no others."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def style_sheet() -> bytes:
    """Return the style that all pages share."""
    return files(_HERE).joinpath("pages.css").read_bytes()


def set_up(app: web.Application, package: str) -> None:
    """Let an application draw the templates of a package.

    They are read when they are first drawn, and kept.
    """
    aiohttp_jinja2.setup(app, **_options(package))


def environment(package: str) -> jinja2.Environment:
    """Return what draws the templates of a package for no listener, by the same rules."""
    return jinja2.Environment(**_options(package))  # noqa: S701 -- the options escape


def page(request: web.Request, template: str, members: Mapping[str, Any]) -> web.Response:
    """Return the page, which nobody keeps."""
    answer = aiohttp_jinja2.render_template(template, request, members)
    answer.headers.update({"Cache-Control": "no-store", "Content-Security-Policy": policy()})
    return answer


class _Compiled(jinja2.BytecodeCache):
    """Keeps templates as they were compiled for one listener for the others."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def _options(package: str) -> dict[str, Any]:
    return {
        "bytecode_cache": _COMPILED,
        "loader": jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in (package, _HERE)]),
        "autoescape": True,
        "auto_reload": False,
        "undefined": jinja2.ChainableUndefined,
        "finalize": _shown,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def _shown(value: Any) -> Any:
    return NONE if value is None or isinstance(value, jinja2.Undefined) else value
