"""The containers behind the web API: what is said of them, and the mail on disk that dovecot's moves (facts §20)."""

from .state import State
from .values import JsonObject, local_part_of

DOVECOT = "dovecot-mailcow"
SERVICES = (
    "php-fpm", "nginx", "mysql", "redis", "dovecot", "postfix", "sogo", "rspamd", "memcached", "netfilter", "unbound",
    "acme", "watchdog", "ofelia", "clamd", "olefy", "dockerapi",
)  # fmt: skip
RUNNING, MISSING = "running", "missing"
BUSY = ("paused", "restarting")


def container_rows(state: State) -> JsonObject | None:
    """What ``get/status/containers`` shows; None when the container API gave nothing to show."""
    if not state.containers_answer:
        return None
    states = {f"{name}-mailcow": state.container_states.get(f"{name}-mailcow", RUNNING) for name in SERVICES}
    return {
        name: {
            "type": "info",
            "container": name,
            "state": found,
            "started_at": "2026-11-20T00:00:00.000000000Z",
            "image": f"stub/{name}",
        }
        for name, found in states.items()
        if found != MISSING
    }


def dovecot_refusal(state: State) -> str | None:
    """What comes instead of the work: a busy container answers an error, a stopped one nothing; None when it works."""
    found = state.container_states.get(DOVECOT, RUNNING)
    if not state.containers_answer or (found != RUNNING and found not in BUSY):
        return ""
    return None if found == RUNNING else f"Container {DOVECOT} is {found}"


def move_mail(state: State, old: str, new: str | None) -> str | None:
    """Move the mail of an address to another one, or (None) to the garbage; why it stayed, None when it did not.

    The folder is found by the very text of the address. One that is there already isn't replaced: what comes lands
    within it, under the local part that it had.
    """
    refusal = dovecot_refusal(state)
    if refusal is not None or state.mail_stays:
        return "command failed" if refusal is None else refusal
    within = [name for name in state.mail if name == old or name.startswith(f"{old}/")]
    if new is None:
        state.garbage.extend(state.mail.pop(name) for name in within)
        return None
    there = any(name == new or name.startswith(f"{new}/") for name in state.mail)
    target = f"{new}/{local_part_of(old)}" if there else new
    if within and (old == new or target in state.mail):
        return "command failed"
    for name in within:
        state.mail[target + name.removeprefix(old)] = state.mail.pop(name)
    return None
