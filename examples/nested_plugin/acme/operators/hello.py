"""An operator: asks the hook, logs, returns."""

try:
    from airflow.sdk import BaseOperator
except ImportError:  # Airflow 2
    from airflow.models import BaseOperator

from acme.hooks.greeting import GreetingHook


class HelloOperator(BaseOperator):
    """Say hello."""

    template_fields = ("name",)

    def __init__(self, *, name, **kwargs):
        super().__init__(**kwargs)
        self.name = name

    def execute(self, context):
        """Say it, and return it."""
        greeting = GreetingHook().greeting(self.name)
        self.log.info(greeting)
        return greeting
