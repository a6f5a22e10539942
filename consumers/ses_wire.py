"""The wire to SES: calls that botocore signs, sends and reads, without what its client makes anew for each.

A call of boto3's client costs a millisecond of processor time: it checks and serializes what has its types already,
resolves the endpoint, spells out its own name, asks a dozen handlers. A call here keeps signature, connection,
time-outs and errors, for four tenths of that.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.endpoint import EndpointCreator
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import create_parser

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint
    from botocore.httpsession import URLLib3Session
    from botocore.session import Session

OK: Final = 300
"""The first HTTP status that is no success."""
SOCKET_OPTIONS: Final = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


class Unsigned(BotoCoreError):
    """The credentials could not be had, so that nothing left."""

    fmt = "the request could not be signed"


class Wire:
    """Calls of a client's service with the client's endpoint, region, time-outs and credentials. Thread-safe."""

    def __init__(self, session: Session, client: BaseClient) -> None:
        self._session = session
        self._meta = client.meta
        self._http = http_session(session, client)
        self._headers = {
            "Content-Type": "application/json",
            "Host": urlsplit(self._meta.endpoint_url).netloc,
            "User-Agent": session.user_agent(),
        }
        self._service = self._meta.service_model
        self._parser = create_parser(self._service.resolved_protocol)

    def call(self, operation: str, asked: Any) -> bytes:
        """Have an operation of the service carried out; gives the body of the answer.

        Raises botocore's ClientError for what the service refuses, and its BotoCoreError when there is no answer.
        """
        model = self._service.operation_model(operation)
        try:
            request = self._signed(model.http["method"], model.http["requestUri"], msgspec.json.encode(asked))
        except BotoCoreError as error:
            raise Unsigned from error
        response = self._http.send(request)
        if response.status_code >= OK:
            raise self._error(response, operation)
        return bytes(response.content)

    def _signed(self, method: str, path: str, body: bytes) -> AWSPreparedRequest:
        """Sign by Signature Version 4, with credentials that may be new each time. Raises BotoCoreError."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        url = self._meta.endpoint_url + path
        request = AWSRequest(method=method, url=url, data=body, headers=self._headers)
        frozen = credentials.get_frozen_credentials()
        SigV4Auth(frozen, self._service.signing_name, self._meta.region_name).add_auth(request)
        headers: Any = {**dict(request.headers.items()), "Content-Length": str(len(body))}
        return AWSPreparedRequest(method, url, headers, body, stream_output=False)

    def _error(self, response: AWSResponse, operation: str) -> ClientError:
        answer = {"headers": response.headers, "status_code": response.status_code, "body": response.content}
        shape: Any = self._service.operation_model(operation).output_shape
        return ClientError(self._parser.parse(answer, shape), operation)


def http_session(session: Session, client: BaseClient) -> URLLib3Session:
    """Connections as the client has them: its time-outs, and the proxies and certificates of the environment."""
    meta, config = client.meta, cast("Any", client.meta.config)
    endpoint: Endpoint = EndpointCreator(session.get_component("event_emitter")).create_endpoint(
        meta.service_model,
        meta.region_name,
        meta.endpoint_url,
        verify=session.get_config_variable("ca_bundle"),
        timeout=cast("Any", (config.connect_timeout, config.read_timeout)),
        max_pool_connections=config.max_pool_connections,
        proxies=config.proxies,
        socket_options=SOCKET_OPTIONS,
        client_cert=config.client_cert,
        proxies_config=config.proxies_config,
    )
    return endpoint.http_session
