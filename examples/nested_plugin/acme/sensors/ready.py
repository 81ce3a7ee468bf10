"""A sensor: looks, and says whether it has come."""

try:
    from airflow.sdk.bases.sensor import BaseSensorOperator
except ImportError:  # Airflow 2, and 3.0
    try:
        from airflow.sdk import BaseSensorOperator
    except ImportError:
        from airflow.sensors.base import BaseSensorOperator

from acme.hooks.greeting import GreetingHook


class ReadySensor(BaseSensorOperator):
    """Wait until there is somebody to greet."""

    def poke(self, context):
        """Look once."""
        return GreetingHook().is_ready()
