"""The events that messengers tell of, by the names that they give them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

# Gathered from servers 5.37 to 10; a new one works too, it is only not known here.
MATTERMOST_EVENTS = frozenset("""
    added_to_team authentication_challenge burn_on_read_revealed
    channel_bookmark_created channel_bookmark_deleted channel_bookmark_sorted
    channel_bookmark_updated channel_converted channel_created channel_deleted
    channel_member_updated channel_restored channel_scheme_updated channel_updated
    channel_viewed cloud_payment_status_updated cloud_subscription_changed
    config_changed cpa_field_created cpa_field_deleted cpa_field_updated
    cpa_values_updated delete_team dialog_opened direct_added draft_created
    draft_deleted draft_updated emoji_added ephemeral_message file_download_rejected
    first_admin_visit_marketplace_status_received group_added group_member_add
    group_member_deleted guests_deactivated hello
    hosted_customer_signup_progress_updated integrations_usage_changed leave_team
    license_changed memberrole_updated multiple_channels_viewed new_user open_dialog
    persistent_notification_triggered plugin_disabled plugin_enabled
    plugin_statuses_changed post_acknowledgement_added post_acknowledgement_removed
    post_deleted post_edited post_unread posted preference_changed
    preferences_changed preferences_deleted presence_indicator reaction_added
    reaction_removed received_group received_group_associated_to_channel
    received_group_associated_to_team received_group_not_associated_to_channel
    received_group_not_associated_to_team response role_updated
    scheduled_post_created scheduled_post_deleted scheduled_post_updated show_toast
    sidebar_category_created sidebar_category_deleted sidebar_category_order_updated
    sidebar_category_updated status_change thread_follow_changed thread_read_changed
    thread_updated typing update_team update_team_scheme
    user_activation_status_change user_added user_removed user_role_updated
    user_updated warn_metric_status_received warn_metric_status_removed
    """.split())


# Those that a community can switch on, and `gap`: VK has lost some.
VK_EVENTS = frozenset("""
    audio_new board_post_delete board_post_edit board_post_new board_post_restore
    donut_money_withdraw donut_money_withdraw_error donut_subscription_cancelled
    donut_subscription_create donut_subscription_expired
    donut_subscription_price_changed donut_subscription_prolonged gap
    group_change_photo group_change_settings group_join group_leave
    group_officers_edit like_add like_remove market_comment_delete
    market_comment_edit market_comment_new market_comment_restore market_order_edit
    market_order_new message_allow message_deny message_edit message_event message_new
    message_reaction_event message_read message_reply message_typing_state
    photo_comment_delete photo_comment_edit photo_comment_new photo_comment_restore
    photo_new poll_vote_new user_block user_unblock video_comment_delete
    video_comment_edit video_comment_new video_comment_restore video_new
    vkpay_transaction wall_post_new wall_reply_delete wall_reply_edit wall_reply_new
    wall_reply_restore wall_repost
    """.split())


def unknown_events(
    names: Iterable[str], known: Collection[str] = MATTERMOST_EVENTS
) -> Iterator[tuple[str, str | None]]:
    """Those that no server tells of, as far as known, and what may have been meant."""
    for name in names:
        if name not in known and not name.startswith("custom_"):
            close = get_close_matches(name, known, n=1)
            yield name, f"did you mean {close[0]!r}?" if close else None
