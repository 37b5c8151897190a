from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from malexbot.pipeline.waiting import OVERHEAD_BYTES, Delivery, Waiting
from malexbot.ports import Reject
from malexbot.runtime.stop import Stop
from tests.support.events import posted
from tests.support.threads import PATIENCE_S


def now() -> bool:
    return True


def page(count: int) -> Delivery:
    return Delivery([posted(f"b{n}") for n in range(count)], ())


def test_what_waits_is_taken_at_once_and_in_order() -> None:
    waiting = Waiting()
    events = [posted(f"p{n}") for n in range(5)]
    assert all(waiting.offer(event) for event in events)
    assert waiting.take(0, now) == events
    assert waiting.take(0, now) == []


def test_the_number_of_events_is_bounded() -> None:
    waiting = Waiting(most_events=2, patience_s=0)
    assert waiting.offer(posted("a"))
    assert waiting.offer(Reject("mattermost", b"b", "no event"))
    assert not waiting.offer(posted("c"))
    assert waiting.refused == 1
    assert len(waiting.take(0, now)) == 2
    assert waiting.offer(posted("c"))


def test_the_bytes_are_bounded() -> None:
    waiting = Waiting(most_bytes=2 * OVERHEAD_BYTES + 100, patience_s=0)
    assert waiting.offer(posted("a", raw="x" * 60))
    assert not waiting.offer(posted("b", raw="x" * 60))
    assert waiting.offer(posted("b", raw="x" * 40))


def test_a_live_event_waits_a_moment_for_room() -> None:
    waiting = Waiting(most_events=1, patience_s=PATIENCE_S)
    assert waiting.offer(posted("a"))
    writer = threading.Timer(0.05, waiting.take, (0, now))
    writer.start()
    assert waiting.offer(posted("b"))
    writer.join()
    assert waiting.refused == 0


def test_a_live_event_waits_no_longer_than_that() -> None:
    waiting = Waiting(most_events=1, patience_s=0.05)
    assert waiting.offer(posted("a"))
    with ThreadPoolExecutor(1) as pool:
        offer = pool.submit(waiting.offer, posted("b"))
        try:
            assert not offer.result(PATIENCE_S)
        finally:
            waiting.take(0, now)
    assert waiting.refused == 1


def test_what_is_larger_than_all_fits_into_an_empty_queue() -> None:
    waiting = Waiting(most_events=4, most_bytes=10, patience_s=0)
    assert waiting.offer(posted(raw="x" * 100))
    assert not waiting.offer(posted())
    waiting.take(0, now)
    assert waiting.deliver(page(9), Stop())


def test_deliveries_leave_room_for_live_events() -> None:
    waiting = Waiting(most_events=10)
    assert waiting.deliver(page(5), Stop())
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(waiting.deliver, page(1), Stop())
        assert all(waiting.offer(posted(f"p{n}")) for n in range(5))
        assert not second.done()
        assert len(waiting.take(0, now)) == 6
        assert second.result(PATIENCE_S)
    assert waiting.events == 1


def test_deliveries_leave_room_for_the_bytes_of_live_events() -> None:
    waiting, stop = Waiting(most_bytes=10 * OVERHEAD_BYTES), Stop()
    large = Delivery([posted(raw="x" * 4 * OVERHEAD_BYTES)], ())
    assert waiting.deliver(large, stop)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(waiting.deliver, page(1), stop)
        assert waiting.offer(posted(raw="x" * 4 * OVERHEAD_BYTES))
        stop.set()
        assert second.result(PATIENCE_S) is False


def test_a_delivery_that_waits_ends_with_its_stop() -> None:
    waiting, stop = Waiting(most_events=2, patience_s=0), Stop()
    assert waiting.deliver(page(2), stop)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(waiting.deliver, page(2), stop)
        stop.set()
        assert second.result(PATIENCE_S) is False
    assert waiting.events == 2
    assert not waiting.deliver(page(1), stop)


def test_whoever_takes_is_woken_by_what_comes() -> None:
    waiting, is_over = Waiting(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(waiting.take, 600, is_over.is_set)
        assert waiting.offer(posted("a"))
        assert taken.result(PATIENCE_S) == [posted("a")]


def test_whoever_takes_is_woken_by_the_end() -> None:
    waiting, stop = Waiting(), Stop()

    def take() -> object:
        with stop.waking(waiting.wake):
            return waiting.take(600, lambda: stop.is_set)

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(take)
        stop.set()
        assert taken.result(PATIENCE_S) == []


def test_what_is_closed_takes_nothing_in_and_gives_out_what_is_there() -> None:
    waiting = Waiting(patience_s=60)
    assert waiting.offer(posted("p1"))
    waiting.close()
    assert not waiting.offer(posted("p2"))
    assert not waiting.deliver(Delivery([posted("p3")], ()), Stop())
    assert waiting.take(0, lambda: True) == [posted("p1")]
    assert not waiting.offer(posted("p4"))


def test_who_waits_for_room_is_turned_away_at_the_end() -> None:
    waiting = Waiting(most_events=1, patience_s=60)
    assert waiting.offer(posted("p1"))
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(waiting.offer(posted("p2"))))
    thread.start()
    waiting.close()
    thread.join(10)
    assert taken == [False]
