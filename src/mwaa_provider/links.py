"""The extra link "Remote DAG run": from a local task to its run in the other environment's UI."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import BaseOperatorLink, pulled_xcom

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import BaseOperator, Context

#: Airflow 3 shows what lies under this key, which is made of the link's class; our operator writes it as soon as it knows the run.
_KEY = "_link_MwaaDagRunLink"


class MwaaDagRunLink(BaseOperatorLink):
    """Open the run over there.

    The operator keeps the address as an XCom; without one (the task has not begun) the link leads nowhere.
    """

    name = "Remote DAG run"

    @property
    def xcom_key(self) -> str:
        """Where Airflow 3 keeps the address."""
        return _KEY

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Return the address of the run over there, or nothing if it is not known (yet).

        :param operator: The task's operator.
        :param ti_key: The task instance.
        """
        with suppress(Exception):  # Airflow 3.0 would fail the task
            return str(pulled_xcom(ti_key, _KEY) or "")
        return ""

    @staticmethod
    def keep(context: Context, url: str) -> None:
        """Keep the address of the run, for the link to be there from now on.

        :param context: The context that Airflow gives to ``execute``.
        :param url: The address.
        """
        context["ti"].xcom_push(key=_KEY, value=url)
