"""What the installed release's ``PythonVirtualenvOperator`` can do."""

from __future__ import annotations

import inspect


def virtualenv_operator_has(parameter: str) -> bool:
    try:
        from airflow.providers.standard.operators.python import PythonVirtualenvOperator
    except ImportError:
        from airflow.operators.python import PythonVirtualenvOperator
    return parameter in inspect.signature(PythonVirtualenvOperator.__init__).parameters
