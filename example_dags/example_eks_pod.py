"""Run a pod in an Amazon EKS cluster, with a login by IAM and no kubeconfig in the DAG folder.

What it needs:

- requirements.txt: ``apache-airflow-providers-cncf-kubernetes``, with the constraint file of your release
- in the cluster: the namespace, and the execution role as an access entry (``aws eks create-access-entry``) with a policy for that
  namespace
- IAM, for the environment's execution role::

    {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "arn:aws:eks:REGION:ACCOUNT:cluster/CLUSTER"}

AWS's own sample is of Kubernetes 1.18, keeps a kubeconfig in the DAG folder, and uses an argument that the operator no longer has.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.amazon.aws.operators.eks import EksPodOperator  # noqa: TID253 - this operator is what it shows

with DAG(
    dag_id="example_eks_pod",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    EksPodOperator(
        task_id="pod",
        cluster_name="my-cluster",
        namespace="mwaa",
        pod_name="mwaa-pod",
        image="public.ecr.aws/amazonlinux/amazonlinux:2023",
        cmds=["bash", "-c"],
        arguments=["echo hello from the pod"],
        get_logs=True,
    )
