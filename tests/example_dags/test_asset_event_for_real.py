"""An event that is sent starts the DAG that waits for it, in a real environment, and arrives with all that went with it."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from pathlib import Path

import pytest

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa
from tests.support.processes import ROOT

URI = "s3://my-bucket/orders"
DAG_ID = "example_asset_target"
#: Seconds that a real Airflow gets for the run; it is over as soon as it is done.
PATIENCE = 150.0
RELEASE = tuple(int(part) for part in importlib.metadata.version("apache-airflow").split("."))


@pytest.mark.real_airflow
@pytest.mark.slow
@pytest.mark.skipif(RELEASE < (2, 9), reason="an older Airflow takes no events from elsewhere")
def test_an_event_starts_the_dag_that_waits_for_it(tmp_path: Path) -> None:
    from mwaa_provider.local.real import RealAirflow

    shutil.copy(ROOT / "example_dags" / f"{DAG_ID}.py", tmp_path)
    with LocalMwaa() as mwaa:
        airflow = RealAirflow(dags_folder=tmp_path, environment={"AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300"})
        mwaa.create_environment("target", airflow)
        airflow.wait_for_dag(DAG_ID, timeout=PATIENCE)
        client = MwaaClient(
            session=mwaa.boto3_session(),
            endpoint_url=mwaa.endpoint_url,
            verify=str(mwaa.ca_file),
            transport="session",
        )
        client.set_dag_paused("target", DAG_ID, False)
        client.send_asset_event("target", URI, extra={"loaded_by": "somebody else"}, event_key="k")
        client.send_asset_event("target", URI, extra={"loaded_by": "somebody else"}, event_key="k")
        deadline = time.monotonic() + PATIENCE
        while not (runs := list(client.list_dag_runs("target", DAG_ID))) and time.monotonic() < deadline:
            time.sleep(1)
        (run,) = runs
        client.wait_for_dag_run("target", DAG_ID, run.run_id, poke_interval=1, timeout=PATIENCE)
        told = client.get_xcom("target", DAG_ID, run.run_id, "load_orders")
        assert told.value in (["somebody else"], "['somebody else']")
