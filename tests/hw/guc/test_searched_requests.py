"""A reply that comes as its sender gives up: both must have the same opinion of it."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.hw.guc.requests import Requests
from fencepost.sync import Mailbox
from tests.searching import assert_clean

TIMEOUT_S = 0.001


def test_a_reply_is_heard_or_nobody_waits_for_it() -> None:
    def model(rt: Runtime) -> None:
        requests = Requests(rt.world)
        sent: Mailbox[int] = rt.world.mailbox("what was sent")

        def reply() -> bool:
            seqno = sent.get()
            rt.world.sleep(TIMEOUT_S)
            return requests.answer(seqno)

        firmware = rt.spawn(reply, "firmware")
        heard = requests.ask(sent.put, TIMEOUT_S)
        firmware.join()
        assert heard == firmware.result

    assert_clean(model)
