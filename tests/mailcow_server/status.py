"""What the server says about itself."""

from typing import cast

from .call import Call
from .containers import container_rows
from .values import Json


def get_status(call: Call) -> Json:
    """``get/status/version`` and ``get/status/containers``."""
    if call.object == "version":
        return {"version": call.state.version}
    if call.object == "containers":
        return container_rows(call.state)
    return None


def get_password_policy(call: Call) -> Json:
    """``get/passwordpolicy``: numbers as texts."""
    return cast("Json", dict(call.state.password_policy))
