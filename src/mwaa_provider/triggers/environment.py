"""MwaaEnvironmentTrigger: wait until an MWAA environment is available."""

from __future__ import annotations

from typing import Any

from mwaa_provider.client.watching import EnvironmentWatch
from mwaa_provider.triggers.base import MwaaBaseTrigger


class MwaaEnvironmentTrigger(MwaaBaseTrigger):
    """Wait until an MWAA environment is available.

    The event tells the last look, or the error that ended the wait (:mod:`mwaa_provider.triggers.events`).
    The arguments are those of :class:`mwaa_provider.triggers.base.MwaaBaseTrigger`.
    """

    def watched(self) -> dict[str, Any]:
        """Return the arguments that say what is waited for: the environment's name does."""
        return {}

    @property
    def watch(self) -> EnvironmentWatch:
        """What is waited for."""
        return EnvironmentWatch()
