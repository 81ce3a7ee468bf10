"""S3 by moto, in a process of its own: writes its port into the file that is named, and serves until it is ended."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path


def main() -> None:
    """Serve."""
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-west-1")  # noqa: S106
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server._server.server_address[1]
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
    client.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    Path(sys.argv[1]).write_text(str(port))
    threading.Event().wait()


if __name__ == "__main__":
    main()
