"""The edges between VK and those who read the bus, and the tests that show they hold.

Most are where the services broke that did this before.
"""

from __future__ import annotations

BUS = "bus/test_bus.py::test_"
CHAT = "messengers/vk/test_chat.py::test_"
CLIENT = "messengers/vk/test_client.py::test_"
CONFIG = "config/test_vk.py::test_"
CRASH = "crash/test_routes.py::test_"
DECIDER = "pipeline/test_decider.py::test_"
DELIVERY = "consumers/test_delivery.py::test_"
DIRECTORY = "messengers/vk/test_directory.py::test_"
EFFECTS = "storage/test_effects.py::test_"
EVENTS = "bus/test_events.py::test_"
EXAMPLE = "bus/test_example.py::test_"
FAILURES = "messengers/vk/test_failures.py::test_"
GARBLED = "messengers/vk/test_garbled.py::test_"
JOBS = "storage/test_jobs.py::test_"
LAG = "cli/test_bus.py::test_"
LEADERSHIP = "storage/test_leadership.py::test_"
MESSENGER = "messengers/vk/test_messenger.py::test_"
OLDEST = "consumers/test_oldest.py::test_"
PACE = "messengers/vk/test_pace.py::test_"
POLL = "messengers/vk/test_longpoll.py::test_"
PROMISE = "messengers/vk/test_promise.py::test_"
READER = "consumers/test_reader.py::test_"
REDIS = "consumers/test_redis.py::test_"
ROUTE = "processors/test_route.py::test_"
SESSION = "messengers/vk/test_session.py::test_"
SHEARS = "consumers/test_shears.py::test_"
SINCE = "messengers/vk/test_since.py::test_"
SURVEY = "consumers/test_survey.py::test_"
TARGET = "consumers/test_target.py::test_"
TARGETS = "consumers/test_targets.py::test_"
TRANSLATE = "messengers/vk/test_translate.py::test_"
TRIMMING = "consumers/test_trimming.py::test_"
WIRE = "messengers/vk/test_wire.py::test_"

EDGES: dict[str, dict[str, tuple[str, ...]]] = {
    "an update": {
        "a private message has no chat": (
            f"{TRANSLATE}a_private_message_has_a_peer",
            f"{DIRECTORY}a_private_message_is_from_where_its_author_is",
        ),
        "its author is a community": (
            f"{TRANSLATE}a_community_may_be_the_author",
            f"{DIRECTORY}a_community_is_not_asked_for",
        ),
        "it has no text": (f"{TRANSLATE}a_message_may_have_no_text",),
        "its text only looks like a command": (
            f"{TRANSLATE}what_only_looks_like_a_command_is_none",
        ),
        "it answers another one, or forwards some": (
            f"{TRANSLATE}replies_forwards_and_attachments_are_told",
            f"{EVENTS}what_is_within_is_told_to_the_last",
        ),
        "it is a service message": (
            f"{TRANSLATE}what_a_service_message_tells_is_kept",
        ),
        "it is of a kind without a form": (
            f"{TRANSLATE}what_has_no_form_of_its_own_is_not_dropped",
        ),
        "a reaction is taken away": (
            f"{TRANSLATE}a_reaction_is_given_and_taken",
            f"{EVENTS}by_its_type_it_has_a_button_or_a_reaction",
        ),
        "a payload is text, a map or nothing": (
            f"{TRANSLATE}a_press_has_its_payload_as_a_map",
        ),
        "it was cropped, and may be gone when it is fetched": (
            f"{DIRECTORY}a_message_is_fetched_only_if_it_was_cropped",
            f"{DIRECTORY}a_cropped_message_that_cannot_be_fetched_stays_as_it_came",
        ),
        "it comes twice": (
            f"{POLL}what_comes_twice_counts_once",
            f"{JOBS}an_event_that_comes_again_after_its_job_was_done_is_no_job",
        ),
        "it is malformed, and those beside it are not": (
            f"{POLL}a_malformed_update_costs_none_of_its_batch",
            f"{POLL}half_a_character_does_not_hide_its_batch",
            f"{POLL}an_update_that_is_no_json_hides_none_of_the_others",
            f"{GARBLED}bytes_and_signs_that_have_no_place_there_hide_nothing",
            f"{MESSENGER}a_batch_comes_with_its_mark_and_what_is_odd_in_it",
            f"{TRANSLATE}nothing_but_unreadable_is_raised",
        ),
        "we wrote it ourselves": (
            f"{TRANSLATE}our_own_message_is_of_the_community",
            f"{MESSENGER}the_core_sees_who_it_is",
            f"{DECIDER}nobody_answers_what_is_ours_the_servers_or_gone",
        ),
        "a press is too old to be answered": (
            f"{ROUTE}a_button_is_tried_for_50_seconds_and_then_expires",
            f"{MESSENGER}a_press_that_waited_is_as_old_as_our_absence",
            f"{CHAT}a_press_whose_minute_is_over_is_answered_by_message",
        ),
    },
    "a name": {
        "each event costs no call": (
            f"{DIRECTORY}many_events_cost_a_call_of_each_kind",
            f"{DIRECTORY}many_lanes_cost_few_calls",
        ),
        "VK refuses to tell it": (
            f"{DIRECTORY}a_chat_that_is_shut_hides_no_other",
            f"{DIRECTORY}an_event_is_never_lost_for_want_of_a_name",
            f"{DIRECTORY}an_outage_is_waited_for_once_not_by_each_event",
        ),
        "the community is no admin of the chat": (
            f"{DIRECTORY}a_chat_that_tells_nothing_has_no_name",
        ),
        "who wrote is gone": (
            f"{DIRECTORY}the_deactivated_have_the_names_that_vk_gives_them",
            f"{DIRECTORY}who_does_not_exist_is_remembered_for_a_minute",
        ),
    },
    "the long poll": {
        "failed 1": (f"{POLL}an_outdated_history_is_a_gap",),
        "failed 2": (f"{POLL}an_expired_key_keeps_the_mark",),
        "failed 3": (
            f"{POLL}lost_information_is_a_gap_up_to_the_new_head",
            f"{MESSENGER}what_was_lost_is_a_gap_in_the_batch_that_tells_it",
        ),
        "failed otherwise, or no answer of VK": (
            f"{POLL}odd_answers_neither_end_it_nor_move_the_mark",
            f"{GARBLED}what_is_no_json_may_pass",
            f"{POLL}while_all_answers_are_those_of_a_proxy_nothing_is_given_up",
        ),
        "a page of a proxy, a reset in the middle, a restart": (
            f"{POLL}broken_lines_and_answers_lose_nothing",
        ),
        "it hangs, or its answer drips": (
            f"{WIRE}who_never_answers_is_left_in_time",
            f"{WIRE}an_answer_that_drips_is_left_in_time",
        ),
        "ts is text or a number": (
            f"{SESSION}a_ts_is_a_number_either_way",
            f"{POLL}numbers_are_as_good_as_strings",
        ),
        "a session grows deaf or old": (
            f"{POLL}a_deaf_session_is_made_anew",
            f"{POLL}an_old_session_is_made_anew",
        ),
        "servers are asked for too often": (
            f"{POLL}who_asks_for_servers_too_often_waits",
            f"{POLL}who_answers_nothing_at_once_is_not_asked_in_a_tight_loop",
        ),
        "the end comes while it waits": (
            f"{POLL}a_stop_cuts_a_poll_that_waits",
            f"{MESSENGER}the_end_cuts_a_poll_that_waits",
        ),
        "nobody can take what it brings": (
            f"{MESSENGER}nothing_is_polled_while_the_intake_is_full",
            f"{POLL}nothing_is_polled_while_nobody_asks",
        ),
        "two poll with one token": (
            f"{MESSENGER}two_who_poll_with_one_token_both_hear_all",
            f"{LEADERSHIP}only_one_gets_it",
        ),
        "we die between an update and its mark": (
            f"{POLL}without_a_mark_the_head_comes_first",
            f"{PROMISE}crashes_and_mishaps_lose_and_double_nothing",
            f"{CRASH}killed_at_any_step_each_event_is_there_once",
        ),
        "a clock is set": (
            f"{SINCE}a_quick_restart_makes_nothing_old",
            f"{MESSENGER}the_clock_is_that_of_vk",
        ),
    },
    "a call of VK": {
        "its limit is met": (
            f"{PACE}no_second_has_more_calls_than_are_allowed",
            f"{CLIENT}too_many_calls_hold_up_every_call",
            f"{CLIENT}a_method_whose_limit_was_met_is_left_alone",
        ),
        "an error passes, or does not": (
            f"{FAILURES}what_passes_is_transient",
            f"{FAILURES}what_does_not_pass_is_permanent",
            f"{CLIENT}what_passes_is_tried_again",
            f"{CLIENT}what_stays_refused_is_asked_once",
        ),
        "nobody knows whether it was sent": (
            f"{CHAT}an_uncertain_send_is_there_once_when_it_is_repeated",
            f"{CHAT}the_same_key_posts_once",
        ),
        "its address changes": (f"{CONFIG}the_api_is_where_it_is_said",),
    },
    "Redis": {
        "the answer to an XADD is lost": (
            f"{REDIS}a_line_that_breaks_loses_nothing_and_doubles_nothing",
            f"{REDIS}what_fails_half_way_tells_what_went_before",
            f"{DELIVERY}what_was_delivered_before_a_crash_is_there_once",
            f"{EFFECTS}what_is_known_by_its_key_has_it_of_its_job",
        ),
        "it is restarted, killed, frozen, flushed": (
            f"{REDIS}a_restart_loses_nothing_and_doubles_nothing",
            f"{REDIS}killed_clients_lose_nothing_and_double_nothing",
            f"{REDIS}a_frozen_redis_is_given_up_in_time",
            f"{REDIS}a_flushed_redis_is_gone_on_with",
            f"{CRASH}a_redis_that_stands_still_and_one_that_forgets",
        ),
        "it is full": (
            f"{REDIS}a_full_redis_takes_no_half_of_it",
            f"{READER}a_full_redis_is_waited_for_by_who_lays_aside",
        ),
        "it throws away what nobody has read": (
            f"{TARGETS}a_redis_that_would_forget_is_told_at_the_start",
        ),
        "a stream grows while who reads it is away": (
            f"{SHEARS}what_all_groups_have_done_is_cut_off",
            f"{SHEARS}what_is_held_by_somebody_stays",
            f"{SHEARS}a_group_that_has_read_nothing_keeps_all",
            f"{SHEARS}readers_in_step_lose_nothing_while_it_is_cut",
        ),
        "it grows beyond its bound": (
            f"{SHEARS}beyond_the_bound_the_oldest_go_and_it_is_told_who_lost_them",
            f"{TRIMMING}what_is_lost_is_counted_and_told_once",
        ),
        "what it tells of a lag is a guess": (
            f"{SHEARS}lag_is_right_after_a_cut",
            f"{SHEARS}who_lost_entries_is_behind_by_those_that_are_left",
            f"{LAG}what_was_deleted_is_not_waited_for",
            f"{SURVEY}what_is_acknowledged_while_it_looks_is_done",
        ),
        "one target is away or slow": (
            f"{TARGET}what_is_away_is_not_touched_again_at_once",
            f"{DELIVERY}what_is_away_is_waited_for_and_keeps_its_order",
            f"{ROUTE}buttons_wait_behind_no_messages",
        ),
    },
    "a reader": {
        "its group is gone": (
            f"{READER}a_flushed_redis_raises_the_alarm_and_later_events_flow",
            f"{READER}a_flush_is_noticed_by_who_waits",
            f"{OLDEST}a_flushed_redis_is_gone_on_with",
        ),
        "it waits longer than its client": (
            f"{READER}who_waits_for_an_entry_is_not_told_of_an_outage",
            f"{READER}a_frozen_redis_is_waited_out",
        ),
        "it dies with what it was given": (
            f"{READER}what_was_not_acknowledged_comes_first_after_a_restart",
            f"{READER}what_another_consumer_left_lying_is_taken_over",
            f"{READER}what_was_lost_on_its_way_comes_at_once",
            f"{READER}a_loop_that_was_left_loses_nothing",
        ),
        "it dies of what it was given": (
            f"{READER}what_nobody_survives_is_laid_aside",
            f"{READER}what_is_laid_aside_is_there_once_if_the_answer_is_lost",
        ),
        "what it was given was cut off, before Redis 7 and since": (
            f"{OLDEST}what_was_cut_off_is_told_and_let_go",
            f"{READER}what_was_cut_off_unread_is_told",
            f"{READER}what_was_cut_off_is_told_by_who_takes_it_over",
        ),
        "two are of one group, two groups read one stream": (
            f"{READER}two_of_a_group_share_what_there_is",
            f"{READER}each_group_gets_all",
        ),
        "what it reads is no event": (
            f"{READER}what_is_no_event_is_laid_aside",
            f"{BUS}whatever_comes_is_an_event_or_refused",
        ),
    },
    "the form": {
        "it is that of the services before": (
            f"{EVENTS}the_parts_have_the_fields_of_the_fetcher",
            f"{EXAMPLE}a_message_is_what_both_services_made_of_it",
            f"{EXAMPLE}a_button_is_what_both_services_made_of_it",
        ),
        "it comes back as it went": (
            f"{BUS}it_comes_back_as_it_went",
            f"{BUS}later_keys_are_left_alone_and_missing_ones_are_defaults",
        ),
    },
}
