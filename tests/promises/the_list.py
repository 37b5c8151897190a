"""What is promised, line by line, and the tests that show it."""

from __future__ import annotations

BACKFILL = "messengers/mattermost/test_backfill.py::test_"
BOOKMARKS = "storage/test_bookmarks.py::test_"
CHAT = "messengers/mattermost/test_chat.py::test_"
CLERK = "web/test_clerk.py::test_"
CLOCKS = "promises/test_clocks.py::test_"
DAEMON = "process/test_daemon.py::test_"
DATABASE = "storage/test_database.py::test_"
DECIDER = "pipeline/test_decider.py::test_"
DELIVERY = "consumers/test_delivery.py::test_"
DESK = "pipeline/test_desk.py::test_"
DIALOGUE = "messengers/mattermost/test_dialogue.py::test_"
DOORS = "messengers/mattermost/callbacks/test_doors.py::test_"
EDITS = "messengers/mattermost/test_edits.py::test_"
EFFECTS = "storage/test_effects.py::test_"
ERASED = "storage/test_erased.py::test_"
ERASURE = "process/test_erasure.py::test_"
INTAKE = "pipeline/test_intake.py::test_"
INTERACT = "process/test_interact.py::test_"
JOBS = "storage/test_jobs.py::test_"
JOURNAL = "storage/test_journal.py::test_"
LEADERSHIP = "storage/test_leadership.py::test_"
LISTEN = "messengers/mattermost/test_listen.py::test_"
MARKS = "simulation/test_marks.py::test_"
PIPE = "process/test_pipe.py::test_"
POSTS = "storage/test_posts.py::test_"
PRESSES = "crash/test_presses.py::test_"
RUNS = "pipeline/test_runs.py::test_"
SENDS = "pipeline/test_sends.py::test_"
SOCKET = "messengers/mattermost/test_socket.py::test_"
VK = "messengers/vk/test_messenger.py::test_"
WAITING = "pipeline/test_waiting.py::test_"
WALKS = "messengers/mattermost/test_walks.py::test_"
WHOLE = "promises/test_whole.py::test_"
WRITES = "storage/test_writes.py::test_"

LIST: dict[int, dict[str, tuple[str, ...]]] = {
    1: {
        "a number is committed before the first event is taken": (
            f"{LISTEN}the_number_is_committed_before_the_first_event",
            f"{LISTEN}without_a_number_no_event_is_taken",
            f"{BOOKMARKS}connections_have_rising_numbers",
        ),
        "live posts raise the mark only where filled_for is their number": (
            f"{BOOKMARKS}a_live_post_moves_the_mark_only_where_the_channel_is"
            "_filled_for_it",
            f"{BOOKMARKS}nothing_but_a_live_post_moves_the_mark",
        ),
        "a walk goes from the mark minus 60 s to the head": (
            f"{WALKS}a_walk_begins_a_minute_before_the_mark",
            f"{WALKS}a_mark_stops_at_what_was_there_when_the_walk_began",
        ),
        "it fills the channel with its last page": (
            f"{WALKS}only_the_last_page_fills_the_channel",
            f"{BOOKMARKS}the_last_page_counts_for_live_posts_of_its_batch",
        ),
        "start, refused resume, sequence break and our drop make a new number": (
            f"{WHOLE}no_resume_goes_from_one_process_to_the_next",
            f"{LISTEN}a_restarted_server_means_a_new_number",
            f"{LISTEN}a_missing_frame_means_a_new_number_and_no_resume",
            f"{LISTEN}a_full_intake_drops_the_connection_on_purpose",
        ),
        "the socket opens before the walk": (
            f"{WALKS}a_look_counts_for_the_connection_that_was_open_before_it",
            f"{WALKS}a_walk_under_an_old_number_does_not_fill_for_the_new_one",
            f"{BACKFILL}an_unchanged_channel_is_filled_for_a_new_connection",
        ),
        "whatever happens, no post is skipped": (
            f"{MARKS}no_schedule_loses_a_post",
            f"{MARKS}the_schedules_find_a_broken_promise",
            f"{MARKS}a_schedule_shows_what_breaks_the_promise",
        ),
        "gap rows are the report": (
            f"{BACKFILL}a_gap_is_open_while_its_channel_is_read",
            f"{BOOKMARKS}a_kind_of_gap_is_open_once_a_channel",
        ),
    },
    2: {
        "a resume is asked for after a close seen at once": (
            f"{DIALOGUE}a_resume_is_asked_for_after_a_close_seen_at_once",
            f"{LISTEN}a_cut_is_resumed_and_keeps_its_number",
            f"{SOCKET}a_cut_line_is_resumed_where_it_ended",
        ),
        "never after our own drop": (
            f"{LISTEN}our_own_drop_is_never_resumed",
            f"{LISTEN}a_full_intake_drops_the_connection_on_purpose",
        ),
        "never after a stall": (
            f"{DIALOGUE}after_a_stall_of_ours_no_resume_is_asked_for",
            f"{SOCKET}a_half_open_line_is_noticed",
        ),
        "never across processes": (
            f"{WHOLE}no_resume_goes_from_one_process_to_the_next",
        ),
        "a doubled socket is kept and deduplicated": (
            f"{DIALOGUE}a_doubled_socket_is_kept_and_tells_everything_once",
            f"{DIALOGUE}copies_are_told_from_repetitions_by_their_number",
        ),
    },
    3: {
        "content is merged by edit_at": (
            f"{POSTS}an_older_text_that_comes_late_is_a_version_only",
            f"{POSTS}an_edit_keeps_what_was_said_before",
            "storage/test_any_order.py::test_the_archive_holds_what_the_rows_say",
        ),
        "only from rows that are not deleted": (
            f"{POSTS}content_comes_only_from_rows_that_are_not_deleted",
        ),
        "delete_at is sticky": (
            f"{POSTS}deleted_is_for_good",
            f"{POSTS}the_first_time_of_a_deletion_counts",
        ),
        "a deletion writes no other column": (
            f"{POSTS}a_live_deletion_writes_no_other_column",
        ),
        "a deleted root marks its replies": (
            f"{POSTS}a_deleted_root_takes_its_replies_along",
            f"{POSTS}a_deleted_root_that_is_not_kept_takes_its_replies_along",
        ),
        "rows with original_id only add versions": (
            f"{POSTS}old_versions_are_versions_of_what_is_kept_only",
        ),
        "pins add none": (
            f"{POSTS}a_pin_adds_no_version",
            f"{POSTS}a_pins_old_row_ahead_of_the_edit_it_repeats_is_no_version",
        ),
        "once kept, a post stays kept": (
            f"{POSTS}once_kept_it_stays_kept",
            f"{DECIDER}the_life_of_posts_is_followed_whatever_the_file_names",
        ),
    },
    4: {
        "edits and deletions while away come from since": (
            f"{EDITS}an_edit_and_a_deletion_while_away_are_read",
        ),
        "its mark is the last answered ping minus 60 s": (
            f"{EDITS}answered_pings_move_the_mark_of_the_edits",
            f"{EDITS}what_a_deaf_connection_did_not_tell_is_read_by_the_next",
            f"{EDITS}who_connects_to_a_server_that_is_still_silent_reads_once_more",
            f"{LISTEN}pongs_tell_how_far_was_heard",
        ),
        "1000 rows are not trusted: pages, edit_at, missing ids, a gap": (
            f"{EDITS}too_many_changes_are_found_page_by_page",
            f"{EDITS}a_post_that_a_page_left_out_is_asked_for_before_it_counts_as_gone",
        ),
        "the progress is kept": (
            f"{EDITS}a_long_walk_goes_on_where_it_was_cut_off",
            f"{BOOKMARKS}the_mark_of_edits_keeps_its_own_progress",
        ),
    },
    5: {
        "history goes from the newest to the oldest": (
            f"{WALKS}history_is_walked_from_the_newest_to_the_oldest",
        ),
        "its progress is kept": (
            f"{WALKS}history_goes_on_where_it_was_cut_off",
            f"{BOOKMARKS}the_walk_through_the_history_goes_back_only",
        ),
        "catch-up goes forward": (f"{WALKS}only_the_last_page_fills_the_channel",),
        "an empty page is an end only if nothing is newer": (
            f"{WALKS}a_mark_that_was_erased_hides_nothing",
            f"{WALKS}an_anchor_that_is_erased_under_the_walk_hides_nothing",
            f"{WALKS}an_erased_anchor_of_the_history_hides_nothing",
        ),
        "pages overlap by the last millisecond's group": (
            f"{WALKS}posts_of_one_millisecond_are_all_read_across_pages",
        ),
    },
    6: {
        "either counter shows that something is new": (
            f"{WALKS}each_of_the_two_counters_shows_that_something_is_new",
        ),
        "deaf is a post older than 60 s that never came": (
            f"{BACKFILL}what_should_have_come_live_makes_a_wish_for_a_new_connection",
            f"{BACKFILL}what_came_live_makes_no_wish",
            f"{BACKFILL}all_is_read_again_that_a_deaf_connection_may_have_missed",
        ),
        "an unchanged channel costs no call": (
            f"{BACKFILL}an_unchanged_channel_costs_no_call",
        ),
    },
    7: {
        "effects are written in the transaction that ends their job": (
            f"{EFFECTS}a_job_and_its_effects_end_in_one_transaction",
            f"{JOBS}a_job_that_is_not_ours_any_more_has_no_effects",
        ),
        "they are rendered once and numbered, one thing each": (
            f"{EFFECTS}effects_are_jobs_once_their_job_is_done",
            "pipeline/test_runner.py::test_effects_are_rendered_once_and_numbered",
            "pipeline/test_effects.py::"
            "test_a_long_reply_is_several_sends_each_a_thing_of_its_own",
        ),
        "pending_post_id and a prop are the id of the job": (
            f"{CHAT}a_message_says_which_job_sent_it",
            f"{CHAT}the_same_key_posts_once",
            f"{CHAT}the_key_of_another_user_is_another_key",
            f"{WHOLE}a_send_that_is_cut_off_is_there_once_with_the_id_of_its_job",
        ),
        "what may have been sent is known, after a crash too": (
            f"{SENDS}that_the_first_byte_leaves_is_durable_before_it_does",
            f"{SENDS}a_crash_while_sending_is_an_uncertain_send",
            f"{SENDS}a_repeat_that_fails_for_sure_leaves_the_first_send_uncertain",
            f"{EFFECTS}a_send_that_was_cut_off_is_uncertain",
            f"{EFFECTS}an_uncertain_send_tells_when_it_began",
            f"{CHAT}what_went_wrong_tells_what_a_repeat_means",
            "messengers/mattermost/test_client.py::test_a_send_cut_off_is_uncertain",
        ),
        "VK knows a send by a random_id of its key": (
            "messengers/vk/test_chat.py::test_the_same_key_posts_once",
            "messengers/vk/test_chat.py::"
            "test_an_uncertain_send_is_there_once_when_it_is_repeated",
        ),
        "it is sent again only while its key is known": (
            f"{SENDS}an_uncertain_send_is_repeated_soon_with_the_same_key",
            "pipeline/test_verdicts.py::test_a_repeat_arrives_while_its_key_is_known",
            f"{SENDS}time_between_claim_and_repeat_counts",
            f"{SENDS}a_messenger_that_forgot_the_key_is_not_given_the_message_twice",
        ),
        "else it is looked for after a minute": (
            f"{SENDS}between_25_and_60_s_nothing_is_sent",
            f"{SENDS}after_60_s_it_is_looked_for_before_it_is_sent",
            f"{SENDS}a_look_that_fails_leaves_the_send_uncertain",
            f"{CHAT}nobody_else_can_pretend_that_it_was_sent",
        ),
        "a refused token is waited out, a closed channel is not": (
            f"{CHAT}to_be_shut_out_is_no_end",
            f"{CHAT}where_the_bot_may_not_write_it_gives_up",
        ),
        "attempts and start are written with the lease": (
            f"{JOBS}attempts_and_the_start_are_written_with_the_lease",
            f"{JOBS}a_job_that_kills_us_goes_dead",
        ),
        "Redis writes an entry and its key at once, HTTP is shown the key": (
            "consumers/test_redis.py::test_what_is_sent_twice_is_there_once",
            "consumers/test_redis.py::"
            "test_a_line_that_breaks_loses_nothing_and_doubles_nothing",
            "consumers/test_http.py::test_the_same_event_has_the_same_key",
        ),
        "killed at any moment, it is answered once": (
            "crash/test_windows.py::test_killed_around_a_post",
            "crash/test_windows.py::test_killed_around_a_post_and_started_much_later",
        ),
    },
    8: {
        "age is judged at intake by the server's clock": (
            f"{DECIDER}an_old_event_makes_no_acting_job_by_the_servers_clock",
            f"{DECIDER}each_acting_processor_has_its_own_age",
            f"{WHOLE}what_is_old_is_told_by_the_servers_clock",
        ),
        "finished jobs stay while their event may come again": (
            "storage/test_upkeep.py::"
            "test_a_job_is_kept_as_long_as_its_event_could_be_acted_on_again",
            f"{JOBS}an_event_that_comes_again_after_its_job_was_done_is_no_job",
        ),
    },
    9: {
        "only what heals repeats the batch, whole": (
            f"{INTAKE}an_outage_repeats_the_same_batch_whole",
            f"{JOURNAL}a_busy_database_repeats_the_batch_and_rejects_nothing",
            "storage/test_failures.py::test_what_may_heal_is_transient",
        ),
        "every statement is idempotent": (
            f"{JOURNAL}the_same_batch_again_changes_nothing",
            f"{INTAKE}a_lost_answer_repeats_the_same_batch_whole",
        ),
        "the one bad event is found and rejected with its raw bytes": (
            f"{JOURNAL}the_one_bad_event_goes_to_the_rejects",
            f"{JOURNAL}bad_events_take_nothing_with_them",
        ),
        "what is no event's fault rejects none": (
            f"{JOURNAL}what_is_no_events_fault_rejects_none",
        ),
    },
    10: {
        "one lock, on the connection that writes": (
            f"{LEADERSHIP}only_one_gets_it",
            f"{LEADERSHIP}without_the_lock_nothing_is_written",
            f"{JOURNAL}who_lost_the_lock_writes_nothing",
        ),
        "taking it raises the epoch, which all writers check": (
            f"{LEADERSHIP}a_lost_session_is_noticed_and_retaken",
            f"{DATABASE}a_stale_epoch_writes_nothing",
            f"{JOBS}a_former_daemon_claims_nothing",
            f"{BOOKMARKS}a_former_daemon_opens_no_connection",
            f"{DAEMON}a_stopped_active_one_is_followed_and_writes_nothing_any_more",
        ),
        "leases of older epochs are void": (
            f"{JOBS}a_new_daemon_voids_the_leases_of_the_old_one",
        ),
        "a send begins only if its lease outlasts its time-out": (
            f"{SENDS}before_a_send_the_lease_must_outlast_its_time_out",
            f"{SENDS}a_process_that_slept_over_its_lease_sends_nothing",
            f"{SENDS}a_repeat_needs_a_lease_that_outlasts_it_too",
        ),
        "a standby binds no port": (
            f"{DAEMON}kill_9_of_the_active_one_hands_over_to_the_standby",
            f"{PIPE}a_standby_neither_listens_nor_serves",
        ),
        "sessions have their time-outs": (
            f"{DATABASE}sessions_have_our_settings",
            f"{DATABASE}a_line_has_our_timeouts",
        ),
    },
    11: {
        "the socket reader waits a moment at most": (
            f"{WAITING}a_live_event_waits_no_longer_than_that",
            f"{INTAKE}in_an_outage_the_queue_fills_and_says_so",
        ),
        "a full intake drops the socket, and nothing silently": (
            f"{LISTEN}a_full_intake_drops_the_connection_on_purpose",
            f"{LISTEN}rejects_need_room_too",
            f"{WHOLE}a_full_intake_costs_a_connection_and_no_post",
        ),
        "it is bounded by count and by bytes": (
            f"{WAITING}the_number_of_events_is_bounded",
            f"{WAITING}the_bytes_are_bounded",
        ),
        "VK is not polled while there is no room": (
            f"{VK}nothing_is_polled_while_the_intake_is_full",
            f"{VK}the_end_does_not_wait_for_room",
        ),
        "HTTP answers 503, and says when to come again": (
            f"{DESK}a_full_intake_turns_away",
            f"{DOORS}what_finds_no_room_comes_again",
            f"{CLERK}more_than_can_wait_is_refused_for_now",
            f"{CLERK}what_has_waited_too_long_is_not_begun_any_more",
        ),
    },
    12: {
        "every walk asks what is wanted": (
            f"{BACKFILL}what_is_not_wanted_is_not_handed_on",
            f"{ERASURE}what_has_expired_is_nowhere_after_a_full_backfill",
        ),
        "intake asks too": (
            f"{ERASED}nothing_is_kept_of_an_erased_person_and_no_job_is_made",
            f"{DECIDER}what_is_not_wanted_the_archive_does_not_hear_of",
        ),
        "with no moment between": (
            f"{ERASED}who_erases_waits_for_a_batch_that_did_not_know",
        ),
        "no backfill brings a thing back": (
            f"{ERASURE}what_was_erased_is_nowhere_after_a_full_backfill",
            f"{ERASURE}what_has_expired_is_nowhere_after_a_full_backfill",
        ),
    },
    13: {
        "78 for a bad config, a refused database or a token refused at the start": (
            f"{DAEMON}a_bad_config_ends_with_78_before_anything_starts",
            f"{DAEMON}a_refused_database_ends_with_78",
            f"{PIPE}a_refused_token_ends_the_daemon_only_at_its_start",
            "service/test_unit.py::"
            "test_what_a_person_must_mend_first_is_not_started_again",
        ),
        "only at the start, and only by Mattermost's own word": (
            f"{LISTEN}a_token_refused_later_is_a_state",
            f"{LISTEN}a_proxy_that_wants_a_login_is_a_state_from_the_start",
            f"{WHOLE}a_token_refused_at_a_handover_is_a_state_too",
            f"{DAEMON}a_refusal_while_running_is_an_outage_that_heals",
        ),
        "it is told once, retried each minute, and not ready": (
            f"{LISTEN}a_token_refused_later_is_a_state",
            f"{LISTEN}a_refused_token_is_tried_each_minute",
            f"{SOCKET}a_handshake_that_fails_is_told",
            f"{BACKFILL}a_refused_token_is_a_state",
        ),
        "the rest of the daemon goes on": (
            f"{WHOLE}a_token_refused_while_it_runs_is_a_state_of_one_part",
        ),
    },
    14: {
        "leases by the database's clock": (
            f"{CLOCKS}leases_begin_and_end_by_the_clock_of_the_database",
            f"{JOBS}a_lease_that_ran_out_is_claimed_by_another",
        ),
        "ages by the server's": (
            f"{WHOLE}what_is_old_is_told_by_the_servers_clock",
            "messengers/test_clock.py::" "test_a_pong_tells_it_to_the_millisecond",
            "messengers/test_clock.py::test_a_date_tells_it_to_the_second",
        ),
        "intervals by the monotonic one": (
            f"{CLOCKS}intervals_are_measured_by_the_monotonic_clock",
        ),
    },
    15: {
        "a call is durable before it is acted on": (
            f"{DESK}what_nobody_can_write_down_is_refused_and_not_done_later",
            f"{PRESSES}what_is_refused_while_the_database_is_away_is_not_done_later",
        ),
        "pressed once is done once": (
            f"{PRESSES}pressed_once_is_done_once",
            f"{RUNS}who_was_cut_off_after_taking_goes_on_with_what_it_took",
        ),
        "of two who press at once one acts": (
            f"{INTERACT}of_two_who_press_at_once_one_acts",
            f"{RUNS}what_is_pressed_is_used_up_by_who_pressed_first",
            "storage/test_grants.py::test_of_two_who_press_at_once_one_does_it",
        ),
        "what a handler keeps and what it says is one transaction": (
            f"{WRITES}an_end_that_dies_in_the_midst_of_it_has_written_nothing",
            f"{RUNS}a_run_that_failed_keeps_nothing",
        ),
        "who was overtaken runs anew": (
            f"{INTERACT}of_many_who_vote_at_once_each_counts_once",
            f"{RUNS}who_was_overtaken_runs_anew_at_once_and_acts_once",
        ),
        "the answer comes in time, or later": (
            f"{INTERACT}a_slow_handler_answers_later",
            f"{INTERACT}a_stop_answers_who_waits_and_takes_nobody_else_in",
            f"{DESK}an_answer_that_nobody_has_written_is_not_given",
        ),
        "what goes wrong is told, and may be tried again": (
            f"{INTERACT}a_command_that_goes_wrong_says_so_and_one_that_is_silent"
            "_nothing",
            f"{RUNS}a_press_that_went_wrong_is_told_and_may_be_pressed_again",
        ),
        "what is done once is not begun again after a crash": (
            f"{RUNS}what_is_done_once_is_not_begun_again_after_a_crash",
        ),
    },
    16: {
        "what VK told, its mark and its gap are one transaction": (
            "storage/test_feeds.py::test_what_was_told_and_the_mark_are_one",
            "storage/test_feeds.py::test_a_gap_is_told_once_and_closed",
            "messengers/vk/test_promise.py::"
            "test_crashes_and_mishaps_lose_and_double_nothing",
        ),
        "killed at any step, each event is handed over once": (
            "crash/test_routes.py::test_killed_at_any_step_each_event_is_there_once",
            f"{DELIVERY}what_was_delivered_before_a_crash_is_there_once",
        ),
        "a target that is away holds up nobody else, and keeps its order": (
            f"{DELIVERY}what_is_away_is_waited_for_and_keeps_its_order",
            "consumers/test_target.py::test_what_is_away_is_not_touched_again_at_once",
        ),
        "a messenger that hangs, or a flood of one kind, holds up nobody else": (
            "pipeline/test_shares.py::test_who_is_waited_for_gets_its_share",
            f"{JOBS}a_flood_of_one_kind_leaves_turns_to_the_others",
        ),
        "what a stopped daemon or a restored database does again is known": (
            "consumers/test_targets.py::"
            "test_what_a_stopped_predecessor_may_hand_over_stays_known",
            f"{JOURNAL}the_job_of_an_event_has_the_same_key_in_a_restored_database",
        ),
        "nothing unread is cut off before the bound, and that is told": (
            "consumers/test_shears.py::test_what_is_held_by_somebody_stays",
            "consumers/test_shears.py::"
            "test_beyond_the_bound_the_oldest_go_and_it_is_told_who_lost_them",
            "consumers/test_trimming.py::test_what_is_lost_is_counted_and_told_once",
        ),
        "what VK does not tell costs no event": (
            "messengers/vk/test_directory.py::"
            "test_an_event_is_never_lost_for_want_of_a_name",
        ),
    },
}
