"""Events of assets and datasets, held against the scripted back end and a real Airflow."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import AssetNotFoundError, InvalidInputError
from tests.contract.environments import NAME, Contract

URI = "s3://contract/orders"


@pytest.fixture(autouse=True)
def refused_where_there_are_no_events(contract: Contract) -> None:
    if contract.release < (2, 9):
        with pytest.raises(InvalidInputError, match=r"2\.9"):
            contract.client().send_asset_event(NAME, URI)
        pytest.skip("Airflow takes events of datasets from 2.9 on")


def test_an_event_is_made_once(contract: Contract) -> None:
    client, key = contract.client(), uuid.uuid4().hex
    sent = client.send_asset_event(NAME, URI, extra={"rows": 3, "für": [None]}, event_key=key)
    assert (sent.asset.uri, sent.asset.name) == (URI, URI)
    assert sent.extra == {"rows": 3, "für": [None], "mwaa_event_key": key, "from_rest_api": True}
    assert sent.timestamp is not None
    assert abs(sent.timestamp - datetime.now(timezone.utc)) < timedelta(minutes=5)
    again = client.send_asset_event(NAME, URI, event_key=key)
    assert again == sent
    other = client.send_asset_event(NAME, URI)
    assert other.event_id != sent.event_id
    assert client.send_asset_event(NAME, URI, event_key=key) == sent


def test_assets(contract: Contract) -> None:
    client = contract.client()
    (asset,) = client.list_assets(NAME, uri_pattern="contract/ord")
    assert asset.uri == URI
    assert asset in list(client.list_assets(NAME))
    assert list(client.list_assets(NAME, uri_pattern="nothing like it")) == []


def test_an_asset_that_is_not_there(contract: Contract) -> None:
    with pytest.raises(AssetNotFoundError, match="knows no asset with the URI 's3://contract/order'"):
        contract.client().send_asset_event(NAME, "s3://contract/order")
    if contract.major == 3:
        with pytest.raises(
            AssetNotFoundError, match=r"named 'x' .* Those with that URI are named 's3://contract/orders'"
        ):
            contract.client().send_asset_event(NAME, URI, asset_name="x")
