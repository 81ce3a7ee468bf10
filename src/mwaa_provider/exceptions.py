"""Every error this package raises on purpose.

::

    MwaaError
     ├── InvalidInputError (also a ValueError)      what was asked for cannot be right; nothing was done
     ├── ConnectionFailedError                      no answer; nothing was done
     ├── UnknownOutcomeError                        no usable answer; it may have been done
     ├── AccessDeniedError                          IAM, or the Airflow role, does not allow it
     ├── EnvironmentNotFoundError                   no environment of that name in that account and region
     ├── ThrottledError                             too many calls a second
     ├── ServiceError                               MWAA itself failed, or refused the request
     ├── LoginFailedError                           no web session could be had
     ├── RestApiError                               Airflow answered, and said no
     │    ├── NotFoundError                         404
     │    ├── ConflictError                         409
     │    ├── RestApiLimitError                     InvokeRestApi's limit of 10 seconds or 6 MB
     │    ├── RestApiServerError                    5xx
     │    ├── ResponseCheckFailedError              the caller's response_check turned the answer down
     │    └── UnexpectedAnswerError                 not what the REST API is known to answer (an HTML page, say)
     ├── IncompleteListError                        a list changed faster than it could be read
     ├── MetadataApiError                           the metadata API of an environment cannot go on
     │    └── MetadataApiOffError                   its web server has none
     ├── NoWayInError                               every way to the REST API was tried and failed
     ├── CliCommandError                            an airflow command failed over there
     ├── SettingsNotImportedError                   some variables, pools or connections of an import failed
     ├── SecretNotReadError                         Secrets Manager has not what is asked for
     ├── SecretDiffersError                         a secret is not what was written
     ├── AssetNotFoundError                         an environment knows no such asset
     ├── ResultTooLargeError                        more than an XCom should hold
     ├── MetadataDatabaseError                      the metadata database cannot be reached, or does not do what was asked
     ├── ExportError                                an export failed; there is no manifest of it
     ├── CleanupError                               a clean-up failed half-way; the next one goes on
     ├── VerificationError                          what lies in S3 is not what the manifest says
     ├── EnvironmentFailedError                     an environment will not become available by itself
     ├── WheelsNotFoundError                        pip found no wheels for all that was asked for
     ├── MetricsNotPublishedError                   CloudWatch did not take all values
     └── DagRunError                                about one DAG, its run or its tasks over there
          ├── DagNotFoundError
          ├── DagPausedError
          ├── DagRunNotFoundError
          ├── DagRunExistsError                     a run of that id, or of that logical date, exists and is not ours
          ├── DagRunFailedError
          ├── DagRunTimeoutError
          ├── DagRunCancelledError                  the local task was killed, and the run with it
          ├── TaskNotFoundError
          └── TaskFailedError

Each error carries its facts as attributes, says what to do next, and can be pickled (Airflow sends errors between processes).
None of them holds a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class MwaaError(Exception):
    """The root of the tree.

    :param message: What went wrong and what to do about it.
    :param facts: The facts, readable as attributes (``error.environment_name``).
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        # Only called for names that are not set the ordinary way; "facts" itself is missing while unpickling.
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(f"{type(self).__name__} has no fact {name!r}; it has {sorted(facts)}")

    def with_note(self, note: str) -> MwaaError:
        """Return the same error with a further sentence.

        :param note: The sentence.
        """
        return _rebuild(type(self), f"{self.message} {note}", self.facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.facts))


def _rebuild(kind: type[MwaaError], message: str, facts: dict[str, Any]) -> MwaaError:
    error = kind.__new__(kind)
    MwaaError.__init__(error, message, **facts)
    return error


class InvalidInputError(MwaaError, ValueError):
    """What was asked for cannot be right; nothing was done.

    :param problems: All problems at once, each naming the field, the value, what is allowed and what to do.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        listed = problems[0] if len(problems) == 1 else "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"Invalid input: {listed}", problems=tuple(problems))


class ConnectionFailedError(MwaaError):
    """No connection could be made, so nothing was done. Facts: ``environment_name``, ``host``."""


class UnknownOutcomeError(MwaaError):
    """The request was sent and no usable answer came back: it may have been done. Facts: ``environment_name``, ``method``, ``path``."""


class AccessDeniedError(MwaaError):
    """IAM or the Airflow role does not allow it. Facts: ``environment_name``, ``action``, ``detail``."""


class EnvironmentNotFoundError(MwaaError):
    """No environment of that name in this account and region. Facts: ``environment_name``, ``region_name``."""


class ThrottledError(MwaaError):
    """More calls a second than MWAA admits (InvokeRestApi: 10). The call was not run. Facts: ``environment_name``, ``action``."""


class ServiceError(MwaaError):
    """MWAA itself failed or refused the request. Facts: ``environment_name``, ``action``, ``code``, ``status``."""


class LoginFailedError(MwaaError):
    """The web server gave no session for the web login token. Facts: ``environment_name``, ``host``, ``status``."""


class RestApiError(MwaaError):
    """Airflow's REST API answered with an error. Facts: ``environment_name``, ``method``, ``path``, ``status``, ``detail``."""


class NotFoundError(RestApiError):
    """Airflow answered 404."""


class ConflictError(RestApiError):
    """Airflow answered 409: it exists already, or something else is in the way."""


class RestApiLimitError(RestApiError):
    """A limit of InvokeRestApi was hit: 10 seconds (the call may have been carried out) or 6 MB (it was). Further fact: ``limit``."""


class RestApiServerError(RestApiError):
    """Airflow's web server answered 5xx; a call that creates something may have been done."""


class UnexpectedAnswerError(RestApiError):
    """The answer is not one of Airflow's REST API: an HTML page, an empty body, broken JSON."""


class IncompleteListError(MwaaError):
    """A list changed faster than it could be read; it comes after the rows that could be read.

    Facts: ``environment_name``, ``method``, ``path``, ``rows`` (read), ``total_entries`` (as Airflow counts).
    """


class MetadataApiError(MwaaError):
    """The metadata API of an environment cannot go on. Fact: ``environment_name``."""


class MetadataApiOffError(MetadataApiError):
    """The environment's web server has no metadata API: it is switched off there, or this package is not installed."""


class ResponseCheckFailedError(RestApiError):
    """Airflow answered well, and the caller's ``response_check`` turned the answer down."""


class NoWayInError(MwaaError):
    """Every way to the REST API was tried. Facts: ``environment_name``, ``attempts`` (pairs of way and what it said)."""


class CliCommandError(MwaaError):
    """An ``airflow`` command failed over there. Facts: ``environment_name``, ``command`` (its words), ``status``, ``stdout``, ``stderr``.

    Of what it printed the end is kept, 10,000 characters; secrets given to ``connections add`` and ``variables set`` are left out of it.
    """


class SettingsNotImportedError(MwaaError):
    """Some variables, pools or connections of an import failed; the rest was imported.

    Facts: ``environment_name``, ``failed`` (by name, what was said; never a value), ``not_tried`` (names).
    """


class SecretNotReadError(MwaaError):
    """Secrets Manager has no such secret, or not what is asked for of it. Fact: ``reference`` (``secretsmanager://NAME``; no secret)."""


class SecretDiffersError(MwaaError):
    """A secret is not what was written, or no text. Fact: ``name``."""


class AssetNotFoundError(MwaaError):
    """The environment knows no such asset (dataset), or more than one. Facts: ``environment_name``, ``asset_uri``, ``asset_name``."""


class ResultTooLargeError(MwaaError):
    """A result is larger than an XCom should be. What was asked for was done. Facts: ``size`` and ``max_result_bytes``, in bytes."""


class MetadataDatabaseError(MwaaError):
    """The metadata database cannot be reached, or does not do what was asked. Fact: ``origin`` (where the address comes from)."""


class ExportError(MwaaError):
    """An export failed. Its uploads were aborted and it has no manifest. Facts: ``bucket``, ``key`` where there is one."""


class CleanupError(MwaaError):
    """A clean-up of the metadata database failed. What it removed is gone; the next one goes on. Fact: ``rows`` (table to number)."""


class VerificationError(MwaaError):
    """What lies in S3 is not what the manifest says. Facts: ``manifest`` (its address), ``differences`` (sentences)."""


class DagRunError(MwaaError):
    """About one DAG (run) in an environment. Facts: ``environment_name``, ``dag_id``, ``run_id`` where there is one."""


class DagNotFoundError(DagRunError):
    """The environment has no DAG of that id."""


class DagPausedError(DagRunError):
    """The DAG is paused, so a run of it would stay queued for ever."""


class DagRunNotFoundError(DagRunError):
    """There is no such run (any more)."""


class DagRunExistsError(DagRunError):
    """A run of that id, or of that logical date, exists already and is not this task's. Fact ``run_id``: that run's."""


class DagRunFailedError(DagRunError):
    """The run ended in one of the failed states. Further fact: ``state``."""


class DagRunTimeoutError(DagRunError):
    """The run had not ended when the time was up. Further facts: ``state``, ``timeout``."""


class DagRunCancelledError(DagRunError):
    """The local task was killed while it waited, and the run over there was to end with it."""


class TaskNotFoundError(DagRunError):
    """A run has no such task, mapped instance or task group. Further fact: ``task_ids`` (those missing)."""


class TaskFailedError(DagRunError):
    """Tasks that were waited for ended in failed states. Further fact: ``states``, by task."""


class EnvironmentFailedError(MwaaError):
    """An environment will not become available by itself. Facts: ``environment_name``, ``status``, ``reason``."""


class WheelsNotFoundError(MwaaError):
    """pip found no wheels for all that was asked for. Fact: ``output`` (the end of what pip said, without logins)."""


class MetricsNotPublishedError(MwaaError):
    """CloudWatch did not take all metrics.

    Facts: ``published`` and ``missing`` (how many), ``metric_names`` (of those that are missing), ``reasons``.
    """
