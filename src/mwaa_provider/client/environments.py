"""Environments, and the tokens that open their web servers."""

from __future__ import annotations

from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.tokens import CliToken, WebLoginToken

_SSO_PATH = "/aws_mwaa/aws-console-sso"


class EnvironmentCalls(ClientCore):
    """Calls of the MWAA API itself, beside ``get_environment``."""

    def list_environments(self) -> list[str]:
        """Return the names of all environments of this account and region, in alphabetical order.

        IAM action: ``airflow:ListEnvironments`` on ``*``. https://docs.aws.amazon.com/mwaa/latest/API/API_ListEnvironments.html
        """
        page = self._environments_page()
        names: list[str] = page["Environments"]
        while page.get("NextToken"):
            page = self._environments_page(NextToken=page["NextToken"])
            names += page["Environments"]
        return sorted(names)

    def _environments_page(self, **after: str) -> dict[str, Any]:
        return self._retry.repeat(lambda: self._ask_aws("list_environments", "", **after))

    def create_web_login_token(self, environment_name: str) -> WebLoginToken:
        """Return a token that logs in to the web server; it has at least 30 seconds of its 60 before it.

        IAM action: ``airflow:CreateWebLoginToken``. https://docs.aws.amazon.com/mwaa/latest/API/API_CreateWebLoginToken.html

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._retry.repeat(lambda: self._web_login_tokens.get(environment_name))

    def create_cli_token(self, environment_name: str) -> CliToken:
        """Return a token for the CLI endpoint; it has at least 30 seconds of its 60 before it.

        IAM action: ``airflow:CreateCliToken``. https://docs.aws.amazon.com/mwaa/latest/API/API_CreateCliToken.html

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._retry.repeat(lambda: self._cli_tokens.get(environment_name))

    def web_login_url(self, environment_name: str) -> str:
        """Return an address that logs a browser in, for a person to click within 30 seconds. Whoever has it is that person: keep it.

        IAM action: ``airflow:CreateWebLoginToken``. https://docs.aws.amazon.com/mwaa/latest/userguide/call-mwaa-apis-web.html

        :param environment_name: The environment's name.
        """
        token = self.create_web_login_token(environment_name)
        host = self._hosts.get(environment_name) or token.web_server_host
        return f"https://{host}{_SSO_PATH}?login=true#{token.value}"
