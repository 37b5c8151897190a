from __future__ import annotations

from malexbot.runtime.health import Health


def test_is_ready_when_every_part_is() -> None:
    health = Health()
    assert health.is_ready
    health.tell("mattermost", "connected", is_ready=True)
    health.tell("vk", "no token", is_ready=False)
    assert not health.is_ready
    assert health.line() == "mattermost: connected; vk: no token"
    assert health.states() == {
        "mattermost": {"state": "connected", "is_ready": True},
        "vk": {"state": "no token", "is_ready": False},
    }
    health.forget("vk")
    assert health.is_ready
    assert health.parts() == {"mattermost": "connected"}


def test_no_part_tells_a_secret() -> None:
    health = Health(lambda text: text.replace("hunter2", "***"))
    health.tell("intake", "no way with hunter2", is_ready=False)
    assert "hunter2" not in health.line() + str(health.states())
