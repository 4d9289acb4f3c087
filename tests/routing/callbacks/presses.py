"""What Slack and PagerDuty send when somebody presses something."""

import msgspec


def press(action, value, *, user="U01", at="1767603600.5") -> bytes:
    """The payload of a pressed button, with much that does not matter."""
    return msgspec.json.encode(
        {
            "type": "block_actions",
            "api_app_id": "A02",
            "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
            "user": {"id": user, "username": "ana.s", "name": "ana.s", "team_id": "T9TK3CUKW"},
            "container": {
                "type": "message",
                "message_ts": "171.5",
                "channel_id": "C1",
                "is_ephemeral": False,
            },
            "team": {"id": "T9TK3CUKW", "domain": "example"},
            "message": {"bot_id": "B1", "blocks": [{"type": "header"}], "ts": "171.5"},
            "response_url": "https://hooks.slack.com/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
            "actions": [
                {
                    "type": "button",
                    "block_id": "oversight",
                    "action_id": action,
                    "value": value,
                    "action_ts": at,
                    "text": {"type": "plain_text", "text": "Acknowledge"},
                }
            ],
        }
    )


def hook(kind="incident.acknowledged", *, key="inc-0123456789abcdef0123", agent="user_reference", **more):
    """A webhook of PagerDuty's version 3."""
    data = {
        "id": "PGR0VU2",
        "type": "incident",
        "number": 2,
        "status": "acknowledged",
        "incident_key": key,
        "assignees": [{"id": "PTUXL6G", "type": "user_reference", "summary": "Bo"}],
    }
    who = {
        "id": "PLH1HKV",
        "summary": "Ana",
        "type": agent,
        "self": "https://api.pagerduty.com/users/PLH1HKV",
    }
    event = {
        "id": "01CH754SM17TWPE2V2H4VPBRO7",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": "2026-01-05T09:00:00.000Z",
        "agent": who,
        "client": None,
        "data": data | more.pop("data", {}),
    }
    return msgspec.json.encode({"event": event | more})
