"""Log records for the Vendlog agent: a `logging.Handler` that never holds up the application.

    import logging, vendlog
    logging.getLogger().addHandler(vendlog.Handler())

Python 3.7 and later, no dependencies, Linux. See `Handler` for the promises it keeps.
"""

from ._handler import CAPACITY_BYTES, CAPACITY_RECORDS, EXIT_TIMEOUT_S, SOCKET_PATH, Handler

__all__ = ["CAPACITY_BYTES", "CAPACITY_RECORDS", "EXIT_TIMEOUT_S", "SOCKET_PATH", "Handler"]
__version__ = "0.1.0"
