"""Where a call to AWS would have gone, without a network."""

from __future__ import annotations

from botocore.awsrequest import AWSResponse

from mwaa_provider.client.mwaa import MwaaClient


def asked_for(client: MwaaClient) -> str:
    """Return the address that a client's ListEnvironments would have gone to, without its query.

    :param client: The client.
    """
    addresses = []

    class Body:
        def stream(self, *_: object, **__: object) -> list[bytes]:
            return [b'{"Environments": []}']

    def answer(request: object, **_: object) -> AWSResponse:
        addresses.append(request.url)  # type: ignore[attr-defined]
        return AWSResponse(addresses[0], 200, {}, Body())

    client._boto_client.meta.events.register("before-send.mwaa.*", answer)
    assert client.list_environments() == []
    return str(addresses[0]).partition("?")[0]
