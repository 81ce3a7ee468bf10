"""Asking an environment's web server with requests alone, and the form of what it answers."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import requests
from botocore.config import Config

from mwaa_provider.local import Identity
from tests.contract.environments import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.contract.calls import Call
    from tests.contract.environments import Contract

_LOGIN = {2: "/aws_mwaa/login", 3: "/pluginsv2/aws_mwaa/login"}
_MOMENT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
#: Fields whose values belong to the protocol, and are the same wherever the same calls are made.
_OF_THE_PROTOCOL = frozenset(
    {"dag_id", "is_paused", "key", "map_index", "note", "run_type", "slots", "state", "status", "task_id"}
    | {"total_entries", "triggered_by", "try_number", "value", "version"}
)
#: Fields whose very form differs by nature.
_BY_NATURE = {
    "is_paused_upon_creation": "what the DAG file says",
    "last_scheduling_decision": "null until the scheduler comes by",
    "rendered_fields": "what the operator's templates are",
}
_PATIENCE_SECONDS = 120


class Wire:
    """The environment's REST API over the web session.

    :param contract: The environment.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._sessions: dict[str, requests.Session] = {}
        self._kept: dict[str, Any] = {}

    def forms(self, calls: Iterable[Call]) -> dict[str, Any]:
        """Make the calls and return the form of each answer by the call's name.

        :param calls: The calls.
        """
        try:
            return {call.name: form_of(self._asked(call)) for call in calls}
        finally:
            for session in self._sessions.values():
                session.close()

    def _asked(self, call: Call) -> requests.Response:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            response = self._sent(call)
            if call.until is None:
                break
            name, value = call.until
            if response.ok and response.json()[name] == value:
                break
            assert time.monotonic() < deadline, f"{call.name}: {name} is not {value!r}: {response.text}"
            time.sleep(self._contract.poke_interval)
        if call.keep is not None:
            name, keys = call.keep
            self._kept[name] = response.json()
            for key in keys:
                self._kept[name] = self._kept[name][key]
        return response

    def _sent(self, call: Call) -> requests.Response:
        if call.role not in self._sessions:
            self._sessions[call.role] = self._logged_in(call.role)
        session = self._sessions[call.role]
        url = f"{self._base_url}/api/v{self._contract.major - 1}{call.path.format(**self._kept)}"
        headers = {"Accept": "application/json", **({} if call.body is None else {"Content-Type": "application/json"})}
        body = call.body if isinstance(call.body, str | None) else json.dumps(call.body)
        return session.request(call.method, url, params=call.query, data=body, headers=headers, timeout=60)

    @property
    def _base_url(self) -> str:
        return next(one.base_url for one in self._contract.mwaa.environments if one.name == NAME)

    def _logged_in(self, role: str) -> requests.Session:
        """Log in as the MWAA guide says: a token by boto3, and at the web server a session for it."""
        mwaa = self._contract.mwaa
        session = requests.Session()
        session.trust_env = False
        session.verify = str(mwaa.ca_file)
        boto = mwaa.boto3_session(Identity(f"LOCALMWAA{role.upper()}", airflow_role=role))  # type: ignore[arg-type]
        client = boto.client(
            "mwaa", endpoint_url=mwaa.endpoint_url, config=Config(inject_host_prefix=False, retries={"max_attempts": 0})
        )
        token = client.create_web_login_token(Name=NAME)
        client.close()
        login = f"https://{token['WebServerHostname']}{_LOGIN[self._contract.major]}"
        session.post(login, data={"token": token["WebToken"]}, timeout=60).raise_for_status()
        if self._contract.major == 3:
            session.headers["Authorization"] = f"Bearer {session.cookies['_token']}"
        return session


def form_of(response: requests.Response) -> dict[str, Any]:
    """Return the form of an answer: status, media type, and the body without what differs by nature.

    The words of an error belong to its form, those of a page do not.

    :param response: The answer.
    """
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    form: dict[str, Any] = {"status": response.status_code, "media_type": media_type or None}
    if "json" in media_type:
        form["body"] = _masked(response.json()) if response.status_code >= 400 else _form(response.json())
    else:
        form["body"] = "<page>" if response.content else None
    return form


def _form(value: Any, name: str = "") -> Any:
    if name in _BY_NATURE:
        return f"<{_BY_NATURE[name]}>"
    if isinstance(value, dict):
        return {key: _form(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        # Each form once: how many rows of it there are is told by total_entries.
        forms = [_form(inner) for inner in value]
        return [form for at, form in enumerate(forms) if form not in forms[:at]]
    if value is None or name in _OF_THE_PROTOCOL:
        return value
    if isinstance(value, bool):
        return "<boolean>"
    if isinstance(value, int | float):
        return "<number>"
    return "<date-time>" if re.fullmatch(_MOMENT, value) else "<text>"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"(look for ID) \S+", r"\1 <id>", re.sub(_MOMENT, "<date-time>", value))
