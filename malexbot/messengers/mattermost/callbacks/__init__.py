"""What Mattermost calls us with: slash commands, buttons, dialogs, hooks."""
