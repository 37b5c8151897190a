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
