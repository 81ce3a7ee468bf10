"""Run a command on another machine by SSH, with a key that lies in a connection and a host that is checked.

What it needs:

- requirements.txt: ``apache-airflow-providers-ssh``, with the constraint file
- connection ``ssh_new`` of the type SSH, in Secrets Manager rather than in the database: host, login, and as extra::

    {"private_key": "-----BEGIN OPENSSH PRIVATE KEY-----...", "host_key": "ssh-ed25519 AAAA...", "no_host_key_check": false}

- a way from the workers' subnets to port 22 of the machine

AWS's own sample keeps the private key as a file in the DAG folder, where everybody who may write a DAG can read it, and does not check
which machine answers. ``ssh-keyscan HOST`` tells the host's key; compare it with what the machine itself says.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.ssh.operators.ssh import SSHOperator

with DAG(
    dag_id="example_ssh",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    # [START howto_ssh]
    SSHOperator(task_id="say_the_host", ssh_conn_id="ssh_new", command="hostname", cmd_timeout=60)
    # [END howto_ssh]
