"""A memo that was made of the ERP's credit note becomes no return: it would be credited twice."""

import pytest

from sync.engine.outcomes import SkippedError
from sync.magento.document_bodies import DocumentComment
from sync.sales.bill_marks import MEMO_LINK
from tests.returns.test_flow import MEMO, World

MARK = "demf/CN-1/2027/2026-11-29/SO-1"


def commented(text: str) -> World:
    world = World()
    comments = (DocumentComment(comment="thank you"), DocumentComment(comment=text))
    world.memo = MEMO.model_copy(update={"comments": comments})
    return world


async def test_a_memo_with_the_mark_of_a_credit_note_is_skipped() -> None:
    world = commented(MARK)
    with pytest.raises(SkippedError, match=MARK):
        await world.carry()
    assert not world.erp.headers


@pytest.mark.parametrize("text", ["demf is right", "usmf/CN-1/2026-11-29/SO-1", "demf/a/b/c"])
async def test_what_people_write_on_a_memo_is_no_mark(text: str) -> None:
    world = commented(text)
    await world.carry()
    assert len(world.erp.headers) == 1


async def test_a_memo_by_hand_that_was_taken_for_a_credit_notes_is_skipped() -> None:
    world = World()
    await world.links.remember(MEMO_LINK, str(MEMO.entity_id), MARK)
    with pytest.raises(SkippedError, match=MARK):
        await world.carry()


async def test_a_memo_that_became_a_return_stays_one_when_its_credit_note_is_linked() -> None:
    world = World()
    await world.carry()
    await world.links.remember(MEMO_LINK, str(MEMO.entity_id), MARK)
    await world.carry()
    assert len(world.erp.headers) == 1
