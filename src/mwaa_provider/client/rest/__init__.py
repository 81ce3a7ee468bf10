"""Airflow's REST API, v1 (Airflow 2) and v2 (Airflow 3), behind one face.

The differences between v1 and v2 are decided in this folder and nowhere else.

https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from mwaa_provider.client.rest.api import AirflowRestApi
from mwaa_provider.client.rest.endpoints import ENDPOINTS, Endpoint

__all__ = ["ENDPOINTS", "AirflowRestApi", "Endpoint"]
