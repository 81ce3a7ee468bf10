"""The process behind the fixture ``run_dag``: ``run_dag_inside.py DAG_FILE OUTCOME_FILE CONF_AS_JSON``."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from typing import Any

from tests.support.network import block_network


def main() -> None:
    """Import the file, run its one DAG with ``dag.test()``, write down what came of it."""
    dag_file, outcome_file, conf = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    block_network()

    specification = importlib.util.spec_from_file_location("dag_under_test", dag_file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["dag_under_test"] = module
    specification.loader.exec_module(module)

    from airflow.models import DAG

    try:  # Airflow 3 has the authoring DAG elsewhere; DAG files may use either.
        from airflow import sdk

        kinds: tuple[type, ...] = (DAG, sdk.DAG)
    except ImportError:
        kinds = (DAG,)

    dags = {id(value): value for value in vars(module).values() if isinstance(value, kinds)}
    if len(dags) != 1:
        raise SystemExit(f"the file has to hold one DAG, it holds {len(dags)}")
    (dag,) = dags.values()
    try:
        dag.test(run_conf=conf)
    except Exception:
        # Some releases raise what the task raised, others do not: what counts is what the database says.
        traceback.print_exc()
    outcome = json.dumps(outcome_of(dag.dag_id), default=str)
    with open(outcome_file, "w") as target:
        target.write(outcome)


def outcome_of(dag_id: str) -> dict[str, Any]:
    """Read the DAG's last run, its task instances and XComs."""
    from airflow.models import DagRun, TaskInstance
    from airflow.utils.session import create_session

    try:
        from airflow.models.xcom import XComModel

        value_of = XComModel.deserialize_value
    except ImportError:
        # Airflow 2 deserializes when it loads the row.
        from airflow.models.xcom import XCom as XComModel

        def value_of(row: Any) -> Any:
            return row.value

    with create_session() as session:
        run = session.query(DagRun).filter(DagRun.dag_id == dag_id).order_by(DagRun.id.desc()).first()
        if run is None:
            raise SystemExit(f"{dag_id} was not run")
        instances = (
            session.query(TaskInstance).filter(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run.run_id).all()
        )
        rows = session.query(XComModel).filter(XComModel.dag_id == dag_id, XComModel.run_id == run.run_id).all()
        xcoms: dict[str, dict[str, Any]] = {}
        for row in rows:
            xcoms.setdefault(name_of(row), {})[row.key] = value_of(row)
        return {
            "dag_id": dag_id,
            "run_id": run.run_id,
            "state": str(getattr(run.state, "value", run.state)),
            "tasks": {
                name_of(instance): str(getattr(instance.state, "value", instance.state)) for instance in instances
            },
            "xcoms": xcoms,
        }


def name_of(row: Any) -> str:
    """Name a task instance or the XCom of one."""
    return str(row.task_id) if row.map_index < 0 else f"{row.task_id}[{row.map_index}]"


if __name__ == "__main__":
    main()
