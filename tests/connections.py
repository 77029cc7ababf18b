"""Connections as hostile or hasty clients hold them: what is sent is sent as it is, however the other side ends it."""

import socket


def connect(port: int, request_text: str | bytes = b"") -> socket.socket:
    """Open a connection and send on it; lines may end in a bare newline."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if isinstance(request_text, str):
        request_text = request_text.replace("\n", "\r\n").encode()
    connection.sendall(request_text)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Read to the end of the connection, however it ends."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    connection.close()
    return received
