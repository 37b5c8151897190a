"""Mattermost: its REST API, its websocket, and what its words mean."""
