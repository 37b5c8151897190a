"""The errors that the server answers with: id, message and status, as measured."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from malexbot.errors import MalexbotError

_SESSION = "Invalid or expired session, please login again."
_PERMISSIONS = "You do not have the appropriate permissions."
_USERNAME = (
    "Unable to find an existing account matching your username for this team. "
    "This team may require an invite from the team owner to join."
)
_TRIGGER = "This trigger word is already in use. Please choose another word."
_ADDRESS = "Invalid URL. Must be a valid URL and start with http:// or https://."
_FILES = (
    "Invalid file ids. Note that uploads are limited to 5 files maximum. "
    "Please use additional posts for more files."
)

# By its id: the status and the message in English.
KNOWN: dict[str, tuple[int, str]] = {
    "api.context.session_expired.app_error": (401, _SESSION),
    "api.context.permissions.app_error": (403, _PERMISSIONS),
    "api.context.404.app_error": (404, "Sorry, we could not find the page."),
    "api.post.create_post.root_id.app_error": (400, "Invalid RootId parameter."),
    "api.post.create_post.channel_root_id.app_error": (
        400,
        "Invalid ChannelId for RootId parameter.",
    ),
    "api.post.create_post.can_not_post_to_deleted.error": (
        400,
        "Can not post to deleted channel.",
    ),
    "api.post.deduplicate_create_post.pending": (
        500,
        "Rejected post since another client is making the same request.",
    ),
    "api.post.update_post.system_message.app_error": (
        400,
        "Unable to update system message.",
    ),
    "model.post.is_valid.msg.app_error": (400, "Invalid message."),
    "model.post.is_valid.props.app_error": (400, "Invalid props."),
    "model.post.is_valid.type.app_error": (400, "Invalid type."),
    "model.post.is_valid.file_ids.app_error": (400, _FILES),
    "app.post.save.app_error": (500, "Unable to save the Post."),
    "app.post.get.app_error": (404, "Unable to get the post."),
    "api.post.do_action.action_integration.app_error": (
        400,
        "Action integration error.",
    ),
    "api.post.do_action.action_id.app_error": (404, "Invalid action id."),
    "interactive_message.decode_trigger_id.base64_decode_failed": (
        400,
        "Failed to decode base64 for trigger ID for interactive dialog.",
    ),
    "interactive_message.decode_trigger_id.missing_data": (
        400,
        "Trigger ID missing required data for interactive dialog.",
    ),
    "interactive_message.decode_trigger_id.verify_signature_failed": (
        400,
        "Signature verification of trigger ID failed for interactive dialog.",
    ),
    "api.command.duplicate_trigger.app_error": (400, _TRIGGER),
    "api.command.team_mismatch.app_error": (
        400,
        "Unable to update commands across teams.",
    ),
    "api.command.command_post.forbidden.app_error": (
        403,
        "Specified user is not a member of specified channel.",
    ),
    "api.command.execute_command.start.app_error": (400, "No command trigger found."),
    "store.sql_command.save.get.app_error": (404, "Unable to get the command."),
    "model.command.is_valid.trigger.app_error": (400, "Invalid trigger."),
    "model.command.is_valid.method.app_error": (400, "Invalid Method."),
    "model.command.is_valid.url_http.app_error": (400, _ADDRESS),
    "app.command_webhook.get.missing": (404, "Unable to find the webhook."),
    "app.command_webhook.try_use.invalid": (400, "Invalid webhook."),
    "web.command_webhook.command.app_error": (400, "Couldn't find the command."),
    "web.command_webhook.parse.app_error": (400, "Unable to parse incoming data."),
    "web.incoming_webhook.invalid.app_error": (400, "Invalid webhook."),
    "web.incoming_webhook.text.app_error": (400, "No text specified."),
    "web.incoming_webhook.user.app_error": (400, "Couldn't find the user."),
    "web.incoming_webhook.channel.app_error": (404, "Couldn't find the channel."),
    "web.incoming_webhook.channel_locked.app_error": (
        403,
        "This webhook is not permitted to post to the requested channel.",
    ),
    "web.incoming_webhook.permissions.app_error": (
        403,
        "Inappropriate channel permissions.",
    ),
    "model.incoming_hook.parse_data.app_error": (400, "Unable to parse incoming data."),
    "app.webhooks.get_incoming.app_error": (404, "Unable to get the webhook."),
    "app.webhooks.get_outgoing.app_error": (404, "Unable to get the webhook."),
    "model.outgoing_hook.is_valid.callback.app_error": (400, "Invalid callback URLs."),
    "api.webhook.create_outgoing.triggers.app_error": (
        400,
        "Either trigger_words or channel_id must be set.",
    ),
    "api.webhook.create_outgoing.not_open.app_error": (
        403,
        "Outgoing webhooks can only be created for public channels.",
    ),
    "api.reaction.save_reaction.user_id.app_error": (
        403,
        "You cannot save reaction for the other user.",
    ),
    "app.channel.get.existing.app_error": (
        404,
        "Unable to find the existing channel.",
    ),
    "app.channel.get_by_name.missing.app_error": (404, "Channel does not exist."),
    "store.sql_channel.save_channel.exists.app_error": (
        400,
        "A channel with that name already exists on the same team.",
    ),
    "app.team.get.find.app_error": (404, "Unable to find the existing team."),
    "app.team.get_by_name.missing.app_error": (
        404,
        "Unable to find the existing team.",
    ),
    "app.user.missing_account.const": (404, "Unable to find the user."),
    "app.user.get_by_username.app_error": (404, _USERNAME),
    "app.user.save.username_exists.app_error": (
        400,
        "An account with that username already exists.",
    ),
    "app.channel.get_member.missing.app_error": (
        404,
        "No channel member found for that user ID and channel ID.",
    ),
    "api.user.login.invalid_credentials_email_username": (
        401,
        "Enter a valid email or username and/or password.",
    ),
    "store.sql_bot.get.missing.app_error": (404, "Bot does not exist."),
    "app.file_info.get.app_error": (404, "Unable to get the file info."),
    "api.file.upload_file.too_large_detailed.app_error": (
        413,
        "Unable to upload file. File is too large.",
    ),
    "api.web_socket.connect.upgrade.app_error": (
        500,
        "Failed to upgrade websocket connection.",
    ),
    "app.emoji.get_by_name.no_result": (404, "We couldn’t find the emoji."),
    "app.user_access_token.get_by_user.app_error": (
        404,
        "Unable to get the personal access tokens by user.",
    ),
}


@dataclass(eq=False)
class Refusal(MalexbotError):
    """The server says no; the socket and the REST side render it alike."""

    id: str
    # Shown only if the server is a developer's.
    detail: str = ""
    _: KW_ONLY
    message: str = ""
    status: int = 0

    def __post_init__(self) -> None:
        status, message = KNOWN.get(self.id, (500, ""))
        self.status = self.status or status
        self.message = self.message or message

    def __str__(self) -> str:
        return f"{self.status} {self.id}"


def bad_body(name: str) -> Refusal:
    return Refusal(
        "api.context.invalid_body_param.app_error",
        message=f"Invalid or missing {name} in request body.",
        status=400,
    )


def bad_url(name: str) -> Refusal:
    return Refusal(
        "api.context.invalid_url_param.app_error",
        message=f"Invalid or missing {name} parameter in request URL.",
        status=400,
    )


def bad_param(name: str) -> Refusal:
    return Refusal(
        "api.context.invalid_param.app_error",
        message=f"Invalid {name} parameter.",
        status=400,
    )


def not_allowed(user_id: str, permission: str) -> Refusal:
    detail = f"userId={user_id}, permission={permission},"
    return Refusal("api.context.permissions.app_error", detail)
