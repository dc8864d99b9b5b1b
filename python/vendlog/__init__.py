"""Log records for the Vendlog agent: a `logging.Handler` that never holds up the application.

    import logging, vendlog
    logging.getLogger().addHandler(vendlog.Handler())

And an `Uploader` that brings the agent's drops to the card reader between sales, for an application
that owns the reader's port.

Python 3.7 and later, no dependencies, Linux. See `Handler` and `Uploader` for the promises they keep.
"""

from ._handler import CAPACITY_BYTES, CAPACITY_RECORDS, EXIT_TIMEOUT_S, SOCKET_PATH, Handler
from ._upload import Layout, Uploader

__all__ = [
    "CAPACITY_BYTES",
    "CAPACITY_RECORDS",
    "EXIT_TIMEOUT_S",
    "SOCKET_PATH",
    "Handler",
    "Layout",
    "Uploader",
]
__version__ = "0.1.0"
