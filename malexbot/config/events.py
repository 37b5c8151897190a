"""The events that a Mattermost server tells of, by the names that it gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def unknown_events(names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Those that no server tells of, as far as known, and what may have been meant."""
    for name in names:
        if name not in MATTERMOST_EVENTS and not name.startswith("custom_"):
            close = get_close_matches(name, MATTERMOST_EVENTS, n=1)
            yield name, f"did you mean {close[0]!r}?" if close else None
