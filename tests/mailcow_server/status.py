"""What the server says about itself."""

from typing import cast

from .call import Call
from .values import Json

CONTAINERS = (
    "php-fpm", "nginx", "mysql", "redis", "dovecot", "postfix", "sogo", "rspamd", "memcached", "netfilter", "unbound",
    "acme", "watchdog", "ofelia", "clamd", "olefy", "dockerapi",
)  # fmt: skip


def get_status(call: Call) -> Json:
    """``get/status/version`` and ``get/status/containers``."""
    if call.object == "version":
        return {"version": call.state.version}
    if call.object == "containers":
        return {
            f"{name}-mailcow": {
                "type": "info",
                "container": f"{name}-mailcow",
                "state": call.state.container_states.get(f"{name}-mailcow", "running"),
                "started_at": "2026-11-20T00:00:00.000000000Z",
                "image": f"stub/{name}-mailcow",
            }
            for name in CONTAINERS
        }
    return None


def get_password_policy(call: Call) -> Json:
    """``get/passwordpolicy``: numbers as texts."""
    return cast("Json", dict(call.state.password_policy))
