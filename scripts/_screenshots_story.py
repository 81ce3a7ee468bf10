"""Take the pictures; runs inside the virtual environment that scripts/screenshots has prepared."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _demo_story import DEFERRING_DAG, TARGET_DAG, DemoFailedError, Stage, start_environments
from playwright.sync_api import sync_playwright  # type: ignore[import-not-found,unused-ignore]

from mwaa_provider.local import LocalMwaa
from mwaa_provider.local.real import PostgresServer

if TYPE_CHECKING:
    from playwright.sync_api import Page  # type: ignore[import-not-found,unused-ignore]

#: The page of a task, by the line of its Airflow.
TASK_PAGE = {
    "2": "/dags/{dag_id}/grid?dag_run_id={run_id}&task_id={task_id}&tab=details",
    "3": "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/details",
}
LINK = "Remote DAG run"
SIZE = {"width": 1200, "height": 700}


def deferred_call(stage: Stage, source: str, target: str) -> str:
    """Start the deferring DAG, and return its run's id once its first task waits for a run that has begun."""
    client = stage.client
    conf = {"environment_name": target, "aws_conn_id": "mwaa_demo"}
    run_id = client.trigger_dag_run(source, DEFERRING_DAG, conf=conf).run_id
    deadline = time.monotonic() + 120
    while client.get_task_instance(source, DEFERRING_DAG, run_id, "prepare").state != "deferred":
        if time.monotonic() > deadline:
            raise DemoFailedError(f"the task prepare in {source} was not deferred")
        time.sleep(0.5)
    return run_id


def log_in(page: Page, stage: Stage, name: str) -> None:
    """Open the environment as a person does who clicks a link with a web login token."""
    page.goto(stage.client.web_login_url(name))
    page.wait_for_url(lambda url: "aws_mwaa" not in url)


def take(page: Page, folder: Path, name: str) -> None:
    """Take a picture once the page is at rest."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)  # the panels open with an animation
    page.screenshot(path=folder / f"{name}.png")
    print(f"    {name}.png: {page.url}", flush=True)


def picture_of_the_link(page: Page, stage: Stage, source: str, target: str, folder: Path) -> None:
    """Take one picture of the task with its link while it is deferred, and one of where the link leads."""
    client, line = stage.client, source[-1]
    client.set_pool(target, "default_pool", 0)  # the run over there begins, and its tasks wait
    try:
        run_id = deferred_call(stage, source, target)
        log_in(page, stage, target)
        log_in(page, stage, source)
        where = TASK_PAGE[line].format(dag_id=DEFERRING_DAG, run_id=run_id, task_id="prepare").replace("+", "%2B")
        base_url = next(one.base_url for one in stage.mwaa.environments if one.name == source)
        page.goto(base_url + where)
        link: Any = page.get_by_role("link", name=LINK).or_(page.get_by_role("button", name=LINK)).first
        link.wait_for()
        link.scroll_into_view_if_needed()
        take(page, folder, f"remote-dag-run-link-airflow-{line}")
        there = page.context.new_page()
        there.goto(link.get_attribute("href"))
        take(there, folder, f"remote-dag-run-page-airflow-{target[-1]}")
        there.close()
    finally:
        client.set_pool(target, "default_pool", 128)


def tell(python_2: str, browser_path: str, folder: Path) -> None:
    """Start both environments, take the pictures; whatever happens, nothing that was started stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = PostgresServer()
        stack.callback(postgres.stop)
        mwaa = stack.enter_context(LocalMwaa())
        names = ("airflow-3", "airflow-2")
        stage = Stage(mwaa, postgres, dict(zip(names, (sys.executable, python_2), strict=True)), keep=False)
        connection = {"AIRFLOW_CONN_MWAA_DEMO": json.dumps(mwaa.airflow_connection())}
        start_environments(stage, dict.fromkeys(names, connection))
        for name in names:
            for dag_id in (DEFERRING_DAG, TARGET_DAG):
                stage.airflows[name].wait_for_dag(dag_id, timeout=120)
                stage.client.set_dag_paused(name, dag_id, False)
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=browser_path)
        stack.callback(browser.close)
        page = browser.new_context(ignore_https_errors=True, viewport=SIZE).new_page()
        for source, target in (names, names[::-1]):
            picture_of_the_link(page, stage, source, target, folder)


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python-2", required=True)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--to", required=True, type=Path)
    arguments = parser.parse_args()
    try:
        tell(arguments.python_2, arguments.browser, arguments.to)
    except KeyboardInterrupt:
        return 130
    except DemoFailedError as error:
        print(f"No pictures: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
