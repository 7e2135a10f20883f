"""What an operator sees of the events, and what becomes of them by hand."""

import getpass
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Done, HeldError
from sync.store.odd_rows import OddRowStore
from sync.store.states import EventState
from tests.sync_console.conftest import CommandLine
from tests.sync_engine.engine import MARKET, Engine
from tests.sync_engine.test_odd_rows import record


async def hold(work: Work) -> Done:
    call = work.call("fo", "order_header_create", {"CurrencyCode": "EUR"})
    await call.sent()
    await call.acked(400, {"error": "no [bold] currency"})
    raise HeldError(
        field="CurrencyCode",
        text="[red]EUR[/red] is no currency of demf",
        advice="add it in F&O",
        diff=(("CurrencyCode", "EUR", ""),),
    )


async def held(engine: Engine, *keys: str) -> list[int]:
    engine.orders.carry_with = hold
    events = [await engine.receive(key) for key in keys]
    for event in events:
        await engine.carry(event)
    return events


async def audited(engine: Engine) -> list[tuple[str, str, str]]:
    async with engine.database.connect() as connection:
        rows = await connection.execute(text("SELECT who, action, subject FROM audit ORDER BY id"))
        return [(row[0], row[1], row[2]) for row in rows]


async def test_failed_names_the_field_the_cause_and_what_to_do(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """What other systems say is shown as it is, never read as markup."""
    assert "Nothing is held" in (await d365_sync("failed")).stdout
    [first] = await held(engine, "100000201")
    behind = await engine.receive("100000201", task="cancel")
    await engine.carry(behind)

    said = (await d365_sync("failed")).stdout

    for part in (
        "100000201",
        "CurrencyCode",
        "[red]EUR[/red] is no currency of demf",
        "add it in F&O",
        "CurrencyCode: expected EUR, found -",
        f"is behind event {first}",
        "d365-sync replay",
    ):
        assert part in said
    [told, blocked] = await d365_sync.json("failed")
    assert (told["id"], told["state"], told["trouble"]["field"]) == (first, "held", "CurrencyCode")
    assert (blocked["state"], blocked["depends_on"]) == ("blocked", first)


async def test_what_needs_a_decision_is_not_crowded_out_by_what_waits_behind_it(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """Of one held customer with more orders than fit, the list ended and did not say so."""
    [first] = await held(engine, "100000201")
    for number in range(3):
        await engine.carry(await engine.receive("100000201", task=f"more {number}"))
    [second] = await held(engine, "100000202")

    cut = (await d365_sync("failed", "--limit", "2")).stdout
    whole = (await d365_sync("failed")).stdout

    assert "2 of 5; --limit 5 shows all" in cut
    assert all(f" {event} " in cut for event in (first, second))
    assert "shows all" not in whole
    told = await d365_sync.json("failed")
    assert [one["id"] for one in told][:2] == [first, second]
    assert len(told) == 5


async def test_many_with_which_the_same_is_wrong_are_one_line_and_go_on_together(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """Ten thousand lines that said the same hid all others."""
    alike = await held(engine, *(f"10000020{number}" for number in range(6)))
    said = " ".join((await d365_sync("failed")).stdout.split())
    assert said.count("is no currency of demf") == 1
    assert "100000202 and 3 more" in said
    assert len(await d365_sync.json("failed")) == 6

    said = (await d365_sync("replay", str(alike[2]), "--alike")).stdout
    assert "6 events in line again" in said
    assert await d365_sync.json("failed") == []


async def test_what_was_sent_with_a_difference_is_listed_for_a_day(
    engine: Engine, d365_sync: CommandLine
) -> None:
    async def carry(_: Work) -> Done:
        caution = Caution(
            field="OrderTotalTaxAmount",
            text="tax: 1 in the shop, 2 in the ERP",
            advice="compare both",
            diff=(("OrderTotalTaxAmount", "1", "2"),),
        )
        return Done("is in the ERP as 000697", caution)

    engine.orders.carry_with = carry
    event = await engine.receive("100000201")
    await engine.carry(event)

    said = (await d365_sync("failed", "--cautions")).stdout
    [told] = await d365_sync.json("failed", "--cautions")

    assert all(part in said for part in ("100000201", "OrderTotalTaxAmount", "compare both"))
    assert (told["id"], told["state"], told["note"]) == (event, "done", "is in the ERP as 000697")
    assert "Nothing is held" in (await d365_sync("failed")).stdout
    await engine.execute("UPDATE sync_event SET ended_at = ended_at - interval '25 hours'")
    assert "None within a day" in (await d365_sync("failed", "--cautions")).stdout


async def test_show_tells_calls_with_their_answers_and_who_waits(
    engine: Engine, d365_sync: CommandLine
) -> None:
    [event] = await held(engine, "100000201")
    await engine.carry(await engine.receive("100000201", task="cancel"))

    said = (await d365_sync("show", str(event))).stdout

    for part in (
        f"Event {event}: orders 100000201 of {MARKET}",
        "order_header_create",
        "400",
        "mapping",
        " ms",
        "no [bold] currency",
        "Wait for this one",
    ):
        assert part in said
    told = await d365_sync.json("show", str(event))
    assert [(call["status"], call["mapping_version"]) for call in told["calls"]] == [(400, "1")]
    missing = await d365_sync("show", "999")
    assert missing.exit_code == 1
    assert "no event 999" in missing.stderr


async def test_status_counts_events_and_shows_what_the_shop_does_not_say(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """A shop that is away costs its own number only."""
    await held(engine, "1", "2")
    await engine.execute("UPDATE sync_event SET created_at = created_at - interval '3 hours'")

    result = await d365_sync("status")

    assert result.exit_code == 0
    assert "3 h" in result.stdout
    assert "unknown: magento cannot be reached" in result.stdout
    told = await d365_sync.json("status")
    by_flow = {line["flow"]: line for line in told["state"]["flows"]}
    assert set(by_flow) == {"orders", "customers", "returns"}
    assert by_flow["orders"]["counts"] == {"held": 2}
    assert by_flow["orders"]["lag_seconds"] > 10_000


async def test_a_pause_is_shown_until_it_is_over(engine: Engine, d365_sync: CommandLine) -> None:
    paused = await d365_sync("pause", "orders", "--reason", "stocktaking", "--by", "anna")
    assert "d365-sync resume orders" in paused.stdout
    assert "paused by anna: stocktaking" in (await d365_sync("status")).stdout
    # One market cannot go on while all are paused: told, instead of silently nothing.
    one = await d365_sync("resume", "orders", "--market", MARKET)
    assert one.exit_code == 1
    assert "d365-sync resume orders" in one.stderr

    assert (await d365_sync("resume", "orders")).exit_code == 0

    assert "paused" not in (await d365_sync("status")).stdout
    me = getpass.getuser()
    assert await audited(engine) == [
        ("anna", "pause", "flow orders"),
        (me, "resume", f"flow orders of {MARKET}"),
        (me, "resume", "flow orders"),
    ]


async def test_a_limit_is_shown_until_it_is_over_and_no_pause_is_lost_by_it(
    engine: Engine, d365_sync: CommandLine
) -> None:
    await engine.receive("1")
    for wrong in ((), ("--at-once", "2", "--none")):
        assert (await d365_sync("limit", "orders", *wrong)).exit_code == 1
    assert (await d365_sync("limit", "orders", "--at-once", "0")).exit_code == 2

    limited = await d365_sync("limit", "orders", "--at-once", "2", "--by", "anna")
    assert "at most 2 at once" in limited.stdout
    assert "2 at once" in (await d365_sync("status")).stdout
    await d365_sync("pause", "orders", "--reason", "stocktaking", "--by", "bert")
    await d365_sync("limit", "orders", "--none", "--by", "anna")

    assert "paused by bert: stocktaking" in (await d365_sync("status")).stdout
    await d365_sync("resume", "orders")
    assert "at once" not in (await d365_sync("status")).stdout
    assert (await audited(engine))[0] == ("anna", "limit", "flow orders")


async def test_names_that_do_not_exist_are_told_with_those_that_do(d365_sync: CommandLine) -> None:
    flow = await d365_sync("pause", "order")
    market = await d365_sync("pause", "orders", "--market", "b2b")

    assert flow.exit_code == market.exit_code == 1
    assert "there are orders, customers, returns" in flow.stderr
    assert f"there are {MARKET}" in market.stderr


async def test_replay_of_one_and_of_all_held_at_a_field(
    engine: Engine, d365_sync: CommandLine
) -> None:
    one, two, three = await held(engine, "1", "2", "3")

    await d365_sync("replay", str(one), "--by", "anna")
    assert await engine.state(one) is EventState.RECEIVED
    nothing = await d365_sync("replay", "--all-held", "--field", "City")
    assert "0 events in line" in nothing.stdout
    unasked = await d365_sync("replay", "--all-held", "--field", "CurrencyCode")
    assert unasked.exit_code == 1
    shown = " ".join(unasked.output.split())
    assert "CurrencyCode" in shown
    assert "Carry 2 held events again? Nobody can answer here" in shown
    assert "say --yes, or see each with: d365-sync failed" in shown
    assert {await engine.state(each) for each in (two, three)} == {EventState.HELD}
    rest = await d365_sync("replay", "--all-held", "--field", "CurrencyCode", "--yes")

    assert "2 events in line" in rest.stdout
    assert {await engine.state(each) for each in (two, three)} == {EventState.RECEIVED}
    again = await d365_sync("replay", str(one))
    assert again.exit_code == 1
    assert "under way" in again.stderr
    assert [who for who, _, _ in await audited(engine)] == ["anna", *[getpass.getuser()] * 2]
    # Nothing and everything are both refused.
    assert (await d365_sync("replay")).exit_code == 1
    assert (await d365_sync("replay", "1", "--all-held")).exit_code == 1


async def test_a_skip_needs_a_reason_and_keeps_it(engine: Engine, d365_sync: CommandLine) -> None:
    [event] = await held(engine, "1")
    assert (await d365_sync("skip", str(event))).exit_code == 2
    assert (await d365_sync("skip", str(event), "--reason", " ")).exit_code == 1

    await d365_sync("skip", str(event), "--reason", "entered by hand", "--by", "anna")

    kept = await engine.event(event)
    assert (kept.state, kept.note) == (EventState.SKIPPED, "skipped by anna: entered by hand")
    assert "anna" in (await d365_sync("show", str(event))).stdout


async def test_a_database_that_is_away_is_told_with_what_to_do(d365_sync: CommandLine) -> None:
    text = d365_sync.file.read_text(encoding="utf-8")
    nowhere = re.sub(r"postgresql://[^\"']+", "postgresql://postgres@127.0.0.1:9/test", text)
    d365_sync.file.write_text(nowhere, encoding="utf-8")

    result = await d365_sync("failed")

    assert result.exit_code == 1
    assert "sync.postgres.url" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("show", "9" * 20),
        ("replay", "9" * 20),
        ("skip", "9" * 20, "--reason", "typed twice"),
        ("set-aside", "orders", "9" * 20, "--reason", "typed twice"),
        ("limit", "orders", "--at-once", "9" * 20),
    ],
)
async def test_a_number_that_nothing_has_room_for_is_told(
    d365_sync: CommandLine, command: tuple[str, ...]
) -> None:
    result = await d365_sync(*command)

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "out of range): check the numbers and texts of the command" in " ".join(
        result.stderr.split()
    )


async def test_a_database_that_fails_during_a_command_is_told_without_the_statement(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """A full disk lets everything be read, and nothing written."""
    [event] = await held(engine, "1")
    await engine.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    )
    await engine.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit EXECUTE FUNCTION full_disk()"
    )

    result = await d365_sync("skip", str(event), "--reason", "entered by hand")

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "DiskFull 53100: could not extend file" in " ".join(result.stderr.split())
    assert "give the command once more" in " ".join(result.stderr.split())
    assert "entered by hand" not in result.stderr
    assert await engine.state(event) is EventState.HELD


async def test_an_edit_shows_the_difference_and_asks(
    engine: Engine, d365_sync: CommandLine, tmp_path: Path
) -> None:
    [event] = await held(engine, "1")
    file = tmp_path / "payload.json"
    file.write_text('{"task": "export", "entity_id": 7}', encoding="utf-8")

    refused = await d365_sync("edit", str(event), str(file), answer="n\n")
    assert refused.exit_code == 1
    assert '+  "entity_id": 7' in refused.stdout
    assert (await engine.event(event)).payload == {"task": "export"}
    changed = await d365_sync("edit", str(event), str(file), "--by", "anna", answer="y\n")

    assert f"d365-sync replay {event}" in changed.stdout
    assert (await engine.event(event)).payload == {"task": "export", "entity_id": 7}
    assert await audited(engine) == [("anna", "edit", f"event {event}: orders 1")]
    same = await d365_sync("edit", str(event), str(file), "--yes")
    assert "the same already" in same.stderr


async def test_a_payload_from_standard_input_cannot_be_asked_about(
    engine: Engine, d365_sync: CommandLine
) -> None:
    [event] = await held(engine, "1")

    unasked = await d365_sync("edit", str(event), "-", answer='{"task": "cancel"}')
    assert unasked.exit_code == 1
    assert "say --yes" in unasked.stderr
    assert (
        await d365_sync("edit", str(event), "-", "--yes", answer='{"task": "cancel"}')
    ).exit_code == 0

    assert (await engine.event(event)).payload == {"task": "cancel"}


@pytest.mark.parametrize(
    "items", ['["LAMP-17"]', '{"first": "LAMP-17"}', '{"17": 17}', '{"17": " "}', '{"17": "L*"}']
)
async def test_an_edit_that_names_items_wrongly_is_refused(
    engine: Engine, d365_sync: CommandLine, items: str
) -> None:
    [event] = await held(engine, "1")
    payload = f'{{"task": "export", "items": {items}}}'

    refused = await d365_sync("edit", str(event), "-", "--yes", answer=payload)

    assert refused.exit_code == 1
    assert '"items": {"17": "LAMP-17"}' in refused.stderr.replace("\n", " ")
    assert (await engine.event(event)).payload == {"task": "export"}
    good = payload.replace(items, '{"17": "LAMP-17"}')
    assert (await d365_sync("edit", str(event), "-", "--yes", answer=good)).exit_code == 0


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ('"acount": "C-1001"', '"acount" is read by nobody'),
        ('"account": 1001', "as a text"),
        ('"entity_id": 8', "is of order #7 and stays so"),
        ('"entity_id": "seven"', "the shop's id of the order"),
        ('"task": "tidy"', "without sending its order"),
    ],
)
async def test_an_edit_that_would_not_do_what_it_says_is_refused(
    engine: Engine, d365_sync: CommandLine, member: str, said: str
) -> None:
    engine.orders.carry_with = hold
    event = await engine.receive("1", document="7", lock="orders/b2b_de/#7")
    await engine.carry(event)

    refused = await d365_sync("edit", str(event), "-", "--yes", answer=f"{{{member}}}")

    assert refused.exit_code == 1
    assert said in refused.stderr.replace("\n", " ")
    assert (await engine.event(event)).payload == {"task": "export"}


@pytest.mark.parametrize("payload", ["{", "[]", "7"])
async def test_what_is_no_payload_is_refused(d365_sync: CommandLine, payload: str) -> None:
    result = await d365_sync("edit", "1", "-", "--yes", answer=payload)

    assert result.exit_code == 1
    assert "JSON" in result.stderr


async def test_rows_that_cannot_be_read_are_shown_until_they_are_set_aside(
    engine: Engine, d365_sync: CommandLine
) -> None:
    await OddRowStore(engine.database).keep([record(51), record(52)])

    for command in ("failed", "status"):
        said = (await d365_sync(command)).stdout
        assert "#51" in said
        assert "store_id is missing" in said
    [odd, _] = (await d365_sync.json("status"))["state"]["odd_rows"]
    assert (odd["source"], odd["row_id"], odd["member"]) == ("orders", 51, "store_id")

    assert (await d365_sync("set-aside", "orders", "51", "--reason", " ")).exit_code == 1
    done = await d365_sync("set-aside", "orders", "51", "--reason", "a draft", "--by", "ann")
    assert done.exit_code == 0
    assert "#51" not in (await d365_sync("failed")).stdout
    assert "Set aside: 1" in (await d365_sync("status")).stdout
    assert await audited(engine) == [("ann", "set aside", "orders #51")]
    assert (await d365_sync("set-aside", "orders", "99", "--reason", "?")).exit_code == 1
    assert (await d365_sync("set-aside", "orders", "--reason", "?")).exit_code == 1
    many = ("set-aside", "orders", "--member", "store_id", "--reason", "?")
    assert "--yes" in (await d365_sync(*many)).output, "nobody could answer"
    rest = await d365_sync(*many, "--yes")
    assert "1 row of orders set aside" in rest.stdout
    assert (await d365_sync.json("status"))["state"]["odd_rows_set_aside"] == 2
