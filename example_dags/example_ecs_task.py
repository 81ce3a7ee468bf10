"""Run a task in Amazon ECS on Fargate, and wait for it.

What it needs:

- a cluster, a task definition, and the subnets of the task
- IAM, for the environment's execution role::

    {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*"},
    {"Effect": "Allow", "Action": ["ecs:DescribeTasks", "ecs:StopTask"], "Resource": "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/*"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::ACCOUNT:role/TASK-ROLE"},
    {"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "arn:aws:logs:REGION:ACCOUNT:log-group:GROUP:*"}

AWS's own sample uses an operator that is gone, asks AWS for the cluster while the DAG is parsed, and has a bracket too many.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator  # noqa: TID253 - this operator is what it shows

with DAG(
    dag_id="example_ecs_task",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    EcsRunTaskOperator(
        task_id="task",
        cluster="my-cluster",
        task_definition="my-family",
        launch_type="FARGATE",
        overrides={"containerOverrides": [{"name": "my-container", "command": ["echo", "hello from Fargate"]}]},
        network_configuration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}},
        awslogs_group="/ecs/my-family",
        awslogs_stream_prefix="ecs/my-container",
    )
