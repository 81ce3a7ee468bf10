"""What a check finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mwaa_provider.packaging.rules import RULES, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    :param id: What kind it is, for ``--ignore`` and for programs; see :data:`mwaa_provider.packaging.rules.RULES`.
    :param message: What is wrong, with the values it is about. It never holds a secret.
    :param cure: What to do.
    :param file: The file, or the file inside an archive.
    :param line: The line in it, from 1, where there is one.
    """

    id: str
    message: str
    cure: str
    file: str
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is: the same for all findings of one kind."""
        return RULES[self.id].severity

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.severity.value}: {self.message} {self.cure} [{self.id}]"

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"severity": self.severity.value, **asdict(self)}


def in_order(findings: Iterable[Finding], ignored: Collection[str] = ()) -> list[Finding]:
    """Return findings as a person reads them: by file and line, and the worst first where they share one.

    :param findings: The findings.
    :param ignored: Kinds that are left out (default: none).
    """
    kept = {finding for finding in findings if finding.id not in ignored}
    return sorted(kept, key=lambda one: (one.file, one.line or 0, one.severity.rank, one.id, one.message))


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the highest severity among findings; ``None`` if there are none.

    :param findings: The findings.
    """
    return min((finding.severity for finding in findings), key=lambda one: one.rank, default=None)
