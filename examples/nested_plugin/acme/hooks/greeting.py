"""A hook: the one place that knows how the other side is reached."""

try:
    from airflow.sdk.bases.hook import BaseHook
except ImportError:  # Airflow 2
    from airflow.hooks.base import BaseHook


class GreetingHook(BaseHook):
    """Knows how people are greeted."""

    def is_ready(self):
        """Tell whether there is anybody to greet."""
        return True

    def greeting(self, name):
        """Return a greeting."""
        return f"Hello, {name}"
