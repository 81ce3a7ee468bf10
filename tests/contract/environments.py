"""The environment that a contract test asks, and the two kinds of Airflow that can stand behind it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa, ScriptedAirflow

LEG = importlib.metadata.version("apache-airflow")
OTHER_LINE = "2.10.3" if LEG.startswith("3.") else "3.3.1"
NAME = "contract"
#: What the real Airflow 3 signs its tokens with; tests make an expired one.
JWT_SECRET = "a secret of the contract tests, known to everybody, long enough for HS512 to take it without a word"


@dataclass(frozen=True)
class Contract:
    """The environment under test."""

    mwaa: LocalMwaa
    airflow_version: str
    is_real: bool
    poke_interval: float
    transport: str = "auto"

    @property
    def major(self) -> int:
        return int(self.airflow_version.split(".")[0])

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.airflow_version.split("."))

    def client(self, **changes: Any) -> MwaaClient:
        arguments: dict[str, Any] = {
            "session": self.mwaa.boto3_session(),
            "endpoint_url": self.mwaa.endpoint_url,
            "botocore_config": Config(inject_host_prefix=False),
            "verify": str(self.mwaa.ca_file),
            "transport": self.transport,
        }
        return MwaaClient(**{**arguments, **changes})

    def wait(self, client: MwaaClient, dag_id: str, run_id: str, **how: Any) -> Any:
        return client.wait_for_dag_run(NAME, dag_id, run_id, poke_interval=self.poke_interval, timeout=120, **how)


def by(environment: Contract, transport: str) -> Contract:
    """The environment by one way to its REST API."""
    if transport == "iam":
        operations = botocore.session.Session().get_service_model("mwaa").operation_names
        if "InvokeRestApi" not in operations:
            pytest.skip("this release's boto3 has no invoke_rest_api")
    environment.mwaa.journal.clear()
    return replace(environment, transport=transport)


def scripted(airflow_version: str) -> ScriptedAirflow:
    airflow = ScriptedAirflow(airflow_version)
    airflow.add_dag("contract_quick", run_takes=1.0, task_returns={"work": "done"})
    airflow.add_dag(
        "contract_odd",
        tasks=["pushes", "mapped"],
        mapped={"mapped": 3},
        tags=["contract", "odd"],
        run_takes=0.3,
        task_returns={"pushes": {"a": 1, "b": [True, None]}, "mapped": [10, 20, 30]},
        task_pushes={
            "pushes": {
                "with space and ü": [1, "zwölf", None],
                **({} if airflow_version.startswith("3.0.") else {"with/slash": "found"}),
            }
        },
    )
    airflow.add_dag("contract_fails", run_takes=0.3, run_ends_in="failed")
    airflow.add_dag("contract_slow", run_takes=None)
    airflow.add_dag("contract_paused", paused=True)
    airflow.add_dag("contract_groups", paused=True, tasks=["one", "outer.one", "outer.inner.two"])
    if tuple(int(part) for part in airflow_version.split(".")) >= (3, 3):
        airflow.add_dag("contract_partitioned", partitioned=True, run_takes=1.0)
    airflow.add_asset("s3://contract/orders")
    airflow.add_import_error("/usr/local/airflow/dags/contract_broken.py", "ImportError: this DAG file does not parse")
    return airflow


def real() -> Any:
    from mwaa_provider.local.real import RealAirflow

    # On a machine that is busy otherwise, a task's own reading of the DAG file takes longer than the 30 s after which Airflow fails it.
    patience = {"AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300"}
    # Airflow 2 takes no notice of these.
    metadata_api = {
        "AIRFLOW__MWAA_PROVIDER__METADATA_API": "True",
        "AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": JWT_SECRET,
    }
    return RealAirflow(dags_folder=Path(__file__).parent / "dags", environment={**patience, **metadata_api})
