from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.longpoll import Batch, LongPoll
from malexbot.messengers.vk.session import Limits
from malexbot.messengers.vk.translate import Translator
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from tests.messengers.vk.conftest import NOW_MS, Town

QUICK = Limits(wait_s=0.2, first_server_wait_s=0.01, first_poll_wait_s=0.01)
ENDLESS = QUICK._replace(wait_s=60)
Make = Callable[..., LongPoll]


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A reader that hangs fails its test by ending."""
    stop = Stop()
    timer = threading.Timer(20, stop.set)
    timer.start()
    yield stop
    timer.cancel()
    timer.join()
    stop.set()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def make(client: Client, vk: VkSandbox, translator: Translator, health: Health) -> Make:
    def make(
        limits: Limits = QUICK, clock: Callable[[], float] = time.monotonic
    ) -> LongPoll:
        return LongPoll(
            client=client,
            group_id=vk.settings.group_id,
            translator=translator,
            health=health,
            limits=limits,
            clock=clock,
        )

    return make


def take(batches: Iterator[Batch], count: int) -> list[Batch]:
    """Batches until so many events and rejects have come; then the reader rests."""
    taken: list[Batch] = []
    while sum(len(b.events) + len(b.rejects) for b in taken) < count:
        taken.append(next(batches))
    return taken


def texts(batches: list[Batch]) -> list[str]:
    events = [event for batch in batches for event in batch.events]
    return [event.message.text for event in events if event.message]


def test_what_is_said_comes_in_its_order(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    batches = make().batches("0", stop)
    said = [f"{n}" for n in range(20)]
    for text in said:
        vk.scene.say(town.chat, town.anna, text)
    assert texts(take(batches, 20)) == said


def test_without_a_mark_the_head_comes_first(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    """So that a crash before the first event loses none."""
    vk.scene.say(town.chat, town.anna, "before")
    batches = make().batches(None, stop)
    head = next(batches)
    assert (head.ts, head.events) == ("1", ())
    vk.scene.say(town.chat, town.anna, "after")
    (batch,) = take(batches, 1)
    assert (texts([batch]), batch.ts) == (["after"], "2")


def test_who_was_cut_off_goes_on_at_the_mark_it_kept(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.scene.say(town.chat, town.anna, "one")
    first = take(make().batches("0", stop), 1)
    vk.scene.say(town.chat, town.anna, "two")
    assert texts(take(make().batches(first[-1].ts, stop), 1)) == ["two"]


def test_what_was_not_taken_in_comes_again(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make()
    vk.scene.say(town.chat, town.anna, "one")
    for _ in range(2):
        assert texts(take(reader.batches("0", stop), 1)) == ["one"]


def test_presses_that_waited_are_old_in_each_part_that_they_come_in(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.settings.most_updates = 2
    for number in range(5):
        vk.scene.press(town.chat, town.anna, 1, {"n": number})
    batches = make().batches("0", stop, answered_ago_s=600)
    taken = take(batches, 5)
    ages_s = [(NOW_MS - e.occurred_at) / 1000 for b in taken for e in b.events]
    assert ages_s == pytest.approx([600] * 5, abs=20)
    # Whoever ends in between leaves what is left as old.
    told_at = [batch.answered_at for batch in taken]
    assert told_at[0] == told_at[1] == pytest.approx(told_at[2] - 600, abs=20)
    vk.scene.press(town.chat, town.anna, 1, {"n": 5})
    ((event,),) = [batch.events for batch in take(batches, 1)]
    assert event.occurred_at == NOW_MS


def test_presses_that_waited_are_old_though_a_slow_line_tells_them_late(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.scene.press(town.chat, town.anna, 1, {"n": 1})
    # Two seconds between two looks at it: whatever is done takes so long.
    ticks = itertools.count(1000, 2)
    batches = make(clock=lambda: next(ticks)).batches("0", stop, answered_ago_s=600)
    ((waited,),) = [batch.events for batch in take(batches, 1)]
    vk.scene.press(town.chat, town.anna, 1, {"n": 2})
    ((fresh,),) = [batch.events for batch in take(batches, 1)]
    assert (NOW_MS - waited.occurred_at) / 1000 == pytest.approx(600, abs=60)
    assert fresh.occurred_at == NOW_MS


def test_presses_that_waited_for_a_reader_that_was_held_up_are_old_in_each_part(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.settings.most_updates = 2
    ahead_s = 0.0
    reader = make(clock=lambda: time.monotonic() + ahead_s)
    batches = reader.batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    for number in range(5):
        vk.scene.press(town.chat, town.anna, 1, {"n": number})
    ahead_s = 600.0
    taken = take(batches, 5)
    ages_s = [(NOW_MS - e.occurred_at) / 1000 for b in taken for e in b.events]
    assert ages_s == pytest.approx([600] * 5, abs=20)
    assert reader.sessions == 2


def test_nothing_is_polled_while_nobody_asks(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    batches = make().batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    vk.scene.say(town.chat, town.anna, "two")
    assert vk.polls() == 0
    assert texts(take(batches, 1)) == ["two"]


def test_what_waited_is_told_from_what_is_live(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.scene.say(town.chat, town.anna, "old")
    batches = make().batches("0", stop)
    old = take(batches, 1)[-1]
    vk.scene.say(town.chat, town.anna, "new")
    new = take(batches, 1)[-1]
    assert [old.events[0].origin, new.events[0].origin] == ["replay", "live"]


def test_an_outdated_history_is_a_gap(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    vk.scene.say(town.chat, town.anna, "lost")
    vk.scene.outdate_history()
    reader = make()
    batches = reader.batches("0", stop)
    (batch,) = take(batches, 1)
    assert (batch.ts, batch.events[0].event_type) == ("1", "gap")
    assert batch.events[0].data["ts_from"] == "0"
    assert (reader.gaps, reader.sessions) == (1, 1)
    assert "between 0 and 1 are lost" in caplog.text
    vk.scene.say(town.chat, town.anna, "there")
    assert texts(take(batches, 1)) == ["there"]


def test_an_expired_key_keeps_the_mark(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make()
    batches = reader.batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    vk.scene.expire_key()
    vk.scene.say(town.chat, town.anna, "two")
    assert texts(take(batches, 1)) == ["two"]
    assert (reader.sessions, reader.gaps) == (2, 0)


def test_lost_information_is_a_gap_up_to_the_new_head(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make()
    batches = reader.batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    vk.scene.say(town.chat, town.anna, "lost")
    vk.scene.lose_information()
    (batch,) = take(batches, 1)
    assert (batch.ts, batch.events[0].event_type) == ("2", "gap")
    assert (reader.sessions, reader.gaps) == (2, 1)


def test_a_gap_is_told_even_if_no_server_is_given_at_first(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    batches = make().batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    vk.scene.lose_information()
    vk.faults.refuse(10, method="getLongPollServer", times=2)
    assert take(batches, 1)[-1].events[0].event_type == "gap"


@pytest.mark.parametrize(
    "text",
    [
        '{"failed":4}',
        '{"failed":1}',
        '{"failed":"x","ts":{}}',
        '{"error":{"error_code":1}}',
        '{"ts":"5"}',
        '{"ts":true,"updates":[]}',
        '{"ts":"-5","updates":[]}',
        '{"ts":"1","updates":{}}',
        "[]",
        "7",
        "",
        "<html>",
        '{"ts":"1","upd',
    ],
)
def test_odd_answers_neither_end_it_nor_move_the_mark(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, text: str
) -> None:
    vk.faults.answer_poll(text)
    batches = make().batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    if text == '{"failed":1}':
        assert take(batches, 1)[-1].events[0].event_type == "gap"
    else:
        assert texts(take(batches, 1)) == ["one"]


def test_numbers_are_as_good_as_strings(make: Make, vk: VkSandbox, stop: Stop) -> None:
    vk.faults.answer_poll('{"ts":7,"updates":[{"type":"x","object":{}}]}')
    assert next(make().batches("0", stop)).ts == "7"


DEEP = "[" * 300 + "]" * 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"type":"message_new","object":{"odd":1}}', "KeyError"),
        (f'{{"type":"x","object":{{"odd":1,"more":{DEEP}}}}}', "Recursion limit"),
        ('["odd",{"odd":1}]', "AttributeError"),
    ],
)
def test_a_malformed_update_costs_none_of_its_batch(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, text: str, reason: str
) -> None:
    vk.scene.say(town.chat, town.anna, "before")
    vk.faults.malform_update(text)
    vk.scene.say(town.chat, town.anna, "bad")
    vk.scene.say(town.chat, town.anna, "after")
    (batch,) = take(make().batches("0", stop), 3)
    assert texts([batch]) == ["before", "after"]
    (reject,) = batch.rejects
    assert reject.source == "vk" and b'"odd"' in reject.raw
    assert reason in reject.reason
    assert batch.ts == "3"


def test_an_update_that_is_no_json_hides_none_of_the_others(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor a second one, right behind it; what waits for them is told to be old."""
    reader = make()
    vk.scene.say(town.chat, town.anna, "before")
    for text in ("oops", '{"half":'):
        vk.faults.malform_update(text)
        vk.scene.say(town.chat, town.anna, "bad")
    vk.scene.say(town.chat, town.anna, "after")
    batches = take(reader.batches("0", stop), 4)
    assert texts(batches) == ["before", "after"]
    (passed,) = [batch for batch in batches if batch.lost]
    assert (passed.ts, passed.events[0].event_type) == ("3", "gap")
    (reject,) = passed.rejects
    assert b"oops" in reject.raw and "between 1 and 3" in reject.reason
    assert (reader.gaps, reader.sessions) == (1, 2)
    assert caplog.text.count("no JSON; tries again") == 1


def test_while_all_answers_are_those_of_a_proxy_nothing_is_given_up(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    """A session is made anew now and then, and goes on where the last one ended."""
    health = Told()
    reader = make()
    reader._health = health
    vk.faults.answer_poll("<html>", times=9)
    vk.scene.say(town.chat, town.anna, "one")
    batches = take(reader.batches("0", stop), 1)
    assert (texts(batches), batches[-1].ts, reader.gaps) == (["one"], "1", 0)
    assert reader.sessions == 3
    downs = [state for state, is_ready in health.told[1:] if not is_ready]
    assert all("an answer that is no JSON; next try in" in state for state in downs)


def test_half_a_character_does_not_hide_its_batch(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.faults.malform_update('{"type":"x","event_id":"ab","object":{"a":"\\ud83d"}}')
    vk.scene.say(town.chat, town.anna, "bad")
    vk.scene.say(town.chat, town.anna, "after")
    batches = take(make().batches("0", stop), 2)
    assert texts(batches) == ["after"]
    assert batches[-1].events[0].data["a"] == "\N{REPLACEMENT CHARACTER}"


def test_what_comes_twice_counts_once(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make()
    vk.faults.duplicate_updates(2)
    for text in ("one", "two", "three"):
        vk.scene.say(town.chat, town.anna, text)
    assert texts(take(reader.batches("0", stop), 3)) == ["one", "two", "three"]
    assert reader.duplicates == 2


@pytest.mark.parametrize(
    "harm",
    [
        lambda vk: vk.faults.fail(502, pattern="/lp/", times=2, is_html=True),
        lambda vk: vk.faults.cut_polls_short(2),
        lambda vk: vk.restart(),
        lambda vk: vk.faults.refuse(10, times=2),
        lambda vk: vk.faults.refuse(29, method="none"),
    ],
)
def test_broken_lines_and_answers_lose_nothing(
    make: Make,
    vk: VkSandbox,
    town: Town,
    stop: Stop,
    harm: Callable[[VkSandbox], object],
) -> None:
    batches = make().batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    first = take(batches, 1)
    harm(vk)
    vk.scene.say(town.chat, town.anna, "two")
    assert texts([*first, *take(batches, 1)]) == ["one", "two"]


def test_an_outage_is_told_once_and_its_end_shown(
    make: Make,
    vk: VkSandbox,
    town: Town,
    stop: Stop,
    health: Health,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    vk.faults.refuse(10, method="getLongPollServer", times=3)
    batches = make().batches("0", stop)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    assert caplog.text.count("tries again") == 1
    assert health.is_ready and health.parts()["vk"] == "connected"


def test_an_outage_of_polls_is_shown_as_long_as_it_lasts(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    health = Told()
    reader = make()
    reader._health = health
    caplog.set_level(logging.INFO)
    batches = reader.batches("0", stop)
    next(batches)
    vk.faults.fail(502, pattern="/lp/", times=4, is_html=True)
    vk.scene.say(town.chat, town.anna, "one")
    take(batches, 1)
    ready = [is_ready for _, is_ready in health.told]
    assert ready == [False, True, *[False] * 4, True]
    assert caplog.text.count("tries again") == 1
    assert caplog.text.count("heard again") == 1
    assert reader.sessions == 2


class Told(Health):
    """Remembers all that it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, bool]] = []

    def tell(self, part: str, state: str, *, is_ready: bool) -> None:
        self.told.append((state, is_ready))


def test_who_answers_nothing_at_once_is_not_asked_in_a_tight_loop(
    make: Make, vk: VkSandbox, town: Town, stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    vk.faults.answer_poll('{"ts":"0","updates":[]}', times=2)
    vk.scene.say(town.chat, town.anna, "one")
    batches = make(ENDLESS).batches("0", stop)
    assert texts(take(batches, 1)) == ["one"]
    assert "nobody waited" in caplog.text


def test_a_mark_that_moves_without_news_is_kept(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    """What nobody may see moves the queue too, and asked again VK says the same."""
    vk.scene.say(town.chat, town.anna, "one")
    vk.faults.answer_poll('{"ts":"5","updates":[]}')
    assert next(make(ENDLESS).batches("0", stop)).ts == "5"


def test_who_hears_of_the_same_loss_again_is_not_asked_in_a_tight_loop(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    vk.faults.answer_poll('{"failed":1,"ts":"0"}', times=2)
    vk.scene.say(town.chat, town.anna, "one")
    reader = make()
    assert texts(take(reader.batches("0", stop), 1)) == ["one"]
    assert (reader.sessions, reader.gaps) == (3, 0)


def test_a_refused_token_is_a_state_that_names_its_cure(
    make: Make, vk: VkSandbox, stop: Stop, health: Health
) -> None:
    vk.faults.refuse(5)
    reading = make().batches(None, stop)
    thread = threading.Thread(target=lambda: list(reading))
    thread.start()
    while "unauthorised" not in health.parts().get("vk", ""):
        assert not stop.wait(0.01)
    told = health.parts()["vk"]
    stop.set()
    thread.join()
    assert "write a valid vk.token" in told and "next try in 60 s" in told
    assert vk.ledger.calls()["groups.getLongPollServer"] == 1


def test_who_asks_for_servers_too_often_waits(
    make: Make, vk: VkSandbox, stop: Stop, health: Health
) -> None:
    vk.faults.refuse(29, method="getLongPollServer")
    reading = make().batches(None, stop)
    thread = threading.Thread(target=lambda: list(reading))
    thread.start()
    while "down" not in health.parts().get("vk", ""):
        assert not stop.wait(0.01)
    stop.set()
    thread.join()
    assert "next try in 300 s" in health.parts()["vk"]


def test_a_deaf_session_is_made_anew(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make(QUICK._replace(silent_s=0.3))
    batches = reader.batches("0", stop)
    next(batches)
    vk.faults.deaf()
    vk.scene.say(town.chat, town.anna, "unheard")
    assert texts(take(batches, 1)) == ["unheard"]
    assert reader.sessions >= 2 and reader.gaps == 0


def test_an_old_session_is_made_anew(
    make: Make, vk: VkSandbox, town: Town, stop: Stop
) -> None:
    reader = make(QUICK._replace(session_s=0.0))
    batches = reader.batches("0", stop)
    for text in ("one", "two"):
        vk.scene.say(town.chat, town.anna, text)
        assert texts(take(batches, 1)) == [text]
    assert reader.sessions == 2


def test_a_stop_cuts_a_poll_that_waits(
    make: Make, vk: VkSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Stop()
    taken: list[Batch] = []
    reading = make(ENDLESS).batches("0", stop)
    thread = threading.Thread(target=lambda: taken.extend(reading))
    thread.start()
    wait_for_poll(vk)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert (taken, caplog.text) == ([], "")


def test_a_stop_before_it_begins_ends_it(make: Make) -> None:
    stop = Stop()
    stop.set()
    assert list(make(ENDLESS).batches("0", stop)) == []
