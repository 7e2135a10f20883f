"""The guard over all tests of the routes notices what it is there for."""

from aiohttp.web import Application, Response
from pytest_aiohttp.plugin import AiohttpClient

from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web.handling import Asked, answering
from pricing_proxy.web.problems import TOO_OFTEN
from tests.web.documented import Observed


async def test_a_problem_outside_its_route_s_row_is_noticed(aiohttp_client: AiohttpClient) -> None:
    """Guards `Observed`, by which every test of the routes holds answers to the table."""

    async def refuse(_: Asked[None]) -> Response:
        raise ProblemError(TOO_OFTEN)

    app, observed = Application(), Observed()
    app.router.add_get("/v1/prices", answering(refuse))
    app.router.add_post("/v1/invalidations", answering(refuse))
    observed.watch(app)
    client = await aiohttp_client(app)

    await client.post("/v1/invalidations")
    assert observed.undocumented == []
    await client.get("/v1/prices")
    assert observed.undocumented == [("GET", "/v1/prices", 429, "too_often")]
