"""The one call of AWS's security token service that an Airflow connection with a role makes."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

ASSUMED_ACCESS_KEY_ID = "ASIAOFTHEASSUMEDROLE"

_ANSWER = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>{ASSUMED_ACCESS_KEY_ID}</AccessKeyId><SecretAccessKey>dummy</SecretAccessKey><SessionToken>dummy</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROA:airflow</AssumedRoleId>
<Arn>arn:aws:sts::222222222222:assumed-role/other/airflow</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"""


@contextlib.contextmanager
def sts(assumed: list[str]) -> Iterator[str]:
    """Answer AssumeRole, and give the address to ask at.

    :param assumed: Takes the ARN of each role that was assumed.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            assumed.append(asked["RoleArn"][0])
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(_ANSWER)))
            self.end_headers()
            self.wfile.write(_ANSWER.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
