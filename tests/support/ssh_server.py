"""An SSH server on 127.0.0.1 for one user with one key: ``ssh_server.py HOST_KEY_FILE PUBLIC_KEY LOGIN COMMANDS_FILE`` prints its port.

A process of its own, because paramiko is not installed beside the tests but in a folder that only this and the DAG's process know.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import paramiko


class OneUser(paramiko.ServerInterface):
    """Lets one user in, by one key, and runs what that user asks for."""

    def __init__(self, public_key: str, login: str, commands: Path) -> None:
        self._public_key = base64.b64decode(public_key.split()[1])
        self._login = login
        self._commands = commands

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:
        is_known = username == self._login and key.asbytes() == self._public_key
        return paramiko.AUTH_SUCCESSFUL if is_known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        with self._commands.open("ab") as written:
            written.write(command + b"\n")
        threading.Thread(target=_run, args=(channel, command), daemon=True).start()
        return True


def _run(channel: Any, command: bytes) -> None:
    done = subprocess.run(["/bin/sh", "-c", command.decode()], stdin=subprocess.DEVNULL, capture_output=True)
    channel.sendall(done.stdout)
    channel.sendall_stderr(done.stderr)
    channel.send_exit_status(done.returncode)
    channel.close()


def main() -> None:
    """Serve until the process is ended."""
    host_key_file, public_key, login, commands = sys.argv[1:]
    host_key = paramiko.Ed25519Key.from_private_key_file(host_key_file)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        connection, _ = listening.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        transport.start_server(server=OneUser(public_key, login, Path(commands)), event=threading.Event())


if __name__ == "__main__":
    main()
