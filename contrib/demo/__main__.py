"""`make demo` and `make demo-all`: the command at work, scene by scene, and whether each was as announced."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from io import TextIOWrapper
from textwrap import wrap

from ldap2mailcow.model import Code

from .scenes import CORNERS, STORY, Scene
from .stage import Finished, Stage

WIDTH = 120
SHOWN_OF_MANY, MANY = 1, 5
"""How many changes of one kind are shown before 'and N more', where there are more than a few; findings all are."""

MEANING = {
    0: "mailcow is as LDAP wants it",
    3: "some changes failed, or there are findings of level error",
    4: "removals were withheld, or the answer isn't whole",
    75: "try later",
    77: "refused: no second try",
    78: "the config is wrong",
}
LINE_END = "\n"
FINDING = re.compile(r"(?:error|warning|info) +(\w+)  ")
CHANGE = re.compile(r"(create|adopt|update|enable|grant|switch|disable|remove|pending) +(?:alias )?\S*@")


NEXT = f"""\
What next, with a directory and a mailcow of your own (README.md, from 'Install' on):

    python mailcow_ldap_sync.py             writes a config.yaml into the folder where you are; fill it in
    python mailcow_ldap_sync.py --dry-run   shows what a run would do, and writes nothing anywhere
    python mailcow_ldap_sync.py             does it; cron calls it from then on (contrib/cron)

`make demo-all` goes on from here with {len(CORNERS)} scenes more: every finding, and what else may go wrong."""


def main(*, everything: bool) -> int:
    """Show the story, or everything; return 0 where all of it was as announced."""
    scenes = (*STORY, *CORNERS) if everything else STORY
    seen: set[str] = set()
    surprises = 0
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names from all over Europe, on whatever terminal
    with Stage() as stage:
        _print("A company in a real slapd, a stand-in for mailcow, and the real command between them.")
        _print("This is its config.yaml:")
        print()
        for line in stage.config.splitlines():
            print(f"    {line}")
        for number, scene in enumerate(scenes, 1):
            if number == len(STORY) + 1:
                print("\n")
                _print("Odd corners. Whatever is done for one of these scenes is undone after it.")
            with stage.unchanged() if scene in CORNERS else nullcontext():
                finished = _play(stage, number, scene)
            named = {found[1] for line in finished.lines if (found := FINDING.match(line))}
            surprises += _judge(scene, finished, named)
            seen |= named
        mailboxes = len(stage.mailcow.state.mailboxes)
    print()
    if not everything:
        print(NEXT)
        return min(surprises, 1)
    missing = sorted(set(Code) - seen)
    if missing:
        _print(f"NOT SHOWN: {', '.join(missing)}")
    _print(f"Shown: {len(set(Code) & seen)} of {len(Code)} findings, {mailboxes} mailboxes.")
    return 1 if surprises or missing else 0


def _play(stage: Stage, number: int, scene: Scene) -> Finished:
    """Let a scene happen and show it."""
    print()
    _print(f"{number:>2}. {scene.title}", indent="    ")
    for words, acts in scene.events:
        for act in acts:
            act(stage)
        _print(f"    * {words}", indent="      ")
    line = scene.line.format(ldap=stage.slapd.uri)
    print(f"    $ {line.replace(LINE_END, LINE_END + '    ')}")
    finished = stage.run(line)
    for shown in _shortened(finished.lines):
        _print(f"    {shown}", indent="        ")
    print(f"    exit code {finished.exit_code}: {MEANING.get(finished.exit_code, 'an unexpected error')}", flush=True)
    return finished


def _judge(scene: Scene, finished: Finished, named: set[str]) -> bool:
    """Tell, and return, whether a scene was not as announced."""
    surprises = []
    if finished.exit_code != scene.exit_code:
        surprises.append(f"the exit code {scene.exit_code}")
    if named != scene.codes:
        surprises.append(f"the findings [{', '.join(sorted(scene.codes))}]")
    if scene.says is not None and (scene.says not in "\n".join(finished.lines) or (not scene.says and finished.lines)):
        surprises.append(f"the words {scene.says!r}")
    if surprises:
        print(f"    NOT AS ANNOUNCED: {' and '.join(surprises)} should have come")
    return bool(surprises)


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    """Leave out most of many changes of one kind."""
    total = Counter(_kind(line) for line in lines)
    seen: Counter[str] = Counter()
    for line in lines:
        kind = _kind(line)
        seen[kind] += 1
        if not kind or total[kind] <= MANY or seen[kind] <= SHOWN_OF_MANY:
            yield line
        elif seen[kind] == total[kind]:
            yield f"...       (and {total[kind] - SHOWN_OF_MANY} more lines of '{kind}', which the demo leaves out)"


def _kind(line: str) -> str:
    """Return the kind of change that a line tells of, nothing for other lines."""
    found = CHANGE.match(line)
    return found[1] if found else ""


def _print(text: str, indent: str = "") -> None:
    """Print a line, folded where it is too long for most terminals."""
    lead = text[: len(text) - len(text.lstrip())]
    for line in wrap(
        text.lstrip(),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=max(indent, lead),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]:
        print(line)


if __name__ == "__main__":
    sys.exit(main(everything=sys.argv[1:] == ["--all"]))
