"""Fixtures of the metadata API's tests; what they are made of is in ``support``."""

from tests.metadata.api.support import database as database
from tests.metadata.api.support import local as local
from tests.metadata.api.support import token_of as token_of
