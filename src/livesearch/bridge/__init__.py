"""The bridge: an async Flask application served on the event loop, on top of asgiref's ``WsgiToAsgi``.

asgiref's own bridge runs one request at a time on one thread, answers errors to reused connections, and never hears of
a client that hung up. This one translates between ASGI and WSGI as asgiref does (the same environ, duplicate headers,
response state) and changes who runs what:

- The WSGI call runs in a greenlet on the server's loop, a task for each request; ``LoopFlask`` awaits views there.
- A client that hangs up cancels its GET or HEAD, which interrupts the query in the database. A write runs to its end.
- The last message is sent after ``close()``: the server may start the next request on that connection at once.

``ThreadBridge`` keeps the same promises with a thread for each request, for synchronous code that would hold the loop.
"""

from livesearch.bridge.application import LoopBridge
from livesearch.bridge.limits import body_limit
from livesearch.bridge.serving import create_asgi
from livesearch.bridge.threads import ThreadBridge

__all__ = ["LoopBridge", "ThreadBridge", "body_limit", "create_asgi"]
