"""The line that a cleared task leaves in the note of its run over there before it lets that run again.

It tells how the run stood then. A later try compares: if the run stands so still, or there is no such line, whoever was to let it run again
did not come so far (its worker died, its request was lost), and the later try has to. If it stands otherwise, it has run since.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from mwaa_provider.client.models import DagRun

#: Airflow keeps so many characters of a note.
NOTE_LENGTH = 1000
#: So many of them the line may take.
LINE_LENGTH = 140

_LINE = re.compile(
    r"^To run again for tries up to (?P<life>\d+); it ran from (?P<start>\S+) to (?P<end>\S+)$", re.MULTILINE
)


def note_to_run_again(run: DagRun, life: int) -> str:
    """Return the run's note with the line for a task that was cleared, in place of the last one.

    :param run: The run as it stands.
    :param life: ``max_tries`` of the cleared task: each clear sets another one.
    """
    line = f"To run again for tries up to {life}; it ran from {_moment(run.start_date)} to {_moment(run.end_date)}"
    kept = "\n".join(one for one in (run.note or "").split("\n") if not _LINE.match(one))
    return f"{kept[: NOTE_LENGTH - len(line) - 1]}\n{line}"


def is_noted(run: DagRun, life: int) -> bool:
    """Tell whether an earlier try of the same life has left its line.

    :param run: The run.
    :param life: ``max_tries`` of the cleared task.
    """
    return _found(run, life) is not None


def has_run_since(run: DagRun, life: int) -> bool:
    """Tell whether the run has run again, or still does, since the task was cleared.

    :param run: The run.
    :param life: ``max_tries`` of the cleared task.
    """
    found = _found(run, life)
    return found is not None and (found["start"], found["end"]) != (_moment(run.start_date), _moment(run.end_date))


def _found(run: DagRun, life: int) -> re.Match[str] | None:
    found = _LINE.search(run.note or "")
    return found if found is not None and int(found["life"]) == life else None


def _moment(value: datetime | None) -> str:
    return "-" if value is None else value.astimezone(timezone.utc).isoformat()
