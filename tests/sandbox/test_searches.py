"""People and channels, found by how their names begin."""

from __future__ import annotations

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Rest


def test_people_of_a_team_are_found_by_the_beginning_of_a_name(
    mattermost: Mattermost, alice: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.add_user("alina")
    path = f"/users/autocomplete?in_team={town.team}&name="
    names = [user["username"] for user in alice.get(path)["users"]]
    assert names == ["admin", "alice", "bob", "malexbot"]
    assert [user["id"] for user in alice.get(path + "@AL")["users"]] == [town.alice]
    everywhere = alice.get("/users/autocomplete?name=al")["users"]
    assert [user["username"] for user in everywhere] == ["alice", "alina"]


def test_channels_are_found_that_one_may_see(
    mattermost: Mattermost, alice: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.add_channel(town.team, "secret", town.admin, type="P")
    old = scene.add_channel(town.team, "seconds", town.admin)
    scene.archive_channel(old, town.admin)
    path = f"/teams/{town.team}/channels"
    assert [each["id"] for each in alice.get(f"{path}/autocomplete?name=sec")] == [
        town.second
    ]
    names = [each["name"] for each in alice.get(f"{path}/autocomplete?name=")]
    assert "private" in names and "secret" not in names
    found = alice.post(f"{path}/search", {"term": "p"})
    assert found == []
    with Rest(mattermost.url, scene.add_token(scene.add_user("stranger"))) as rest:
        assert rest.get(f"{path}/autocomplete?name=")["status_code"] == 403


def test_a_person_chooses_a_language(mattermost: Mattermost, alice: Rest) -> None:
    assert alice.get("/users/me")["locale"] == "en"
    alice.put("/users/me/patch", {"locale": "ru"})
    assert alice.get("/users/me")["locale"] == "ru"
    mattermost.scene.set_locale(mattermost.town.alice, "de")
    assert alice.get("/users/me")["locale"] == "de"
