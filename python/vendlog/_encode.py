"""A log record as the JSON object the agent takes. Everything has a bound, and nothing raises.

Not the transport: `sender` and `n`, which make a record one that can be sent twice without being
stored twice, are put in front by `_sender`.
"""

import json
import logging
import math
import time
from typing import Any, Dict, Optional, Tuple

# The agent takes entries of at most 64 KiB; the rest is room for level, time and numbering.
LINE_MAX_BYTES = 60 * 1024
# Of a message that is too long the first and the last part stay: the end of a traceback says
# what happened. Sizes are in characters; each can be up to 6 bytes of JSON.
MESSAGE_MAX_CHARS = 48 * 1024
CUT_MESSAGE_CHARS = (6 * 1024, 3 * 1024)
COMPONENT_MAX_CHARS = 50
# A context is details beside the message, not a dump of the application's state.
CONTEXT_MAX_KEYS = 50
CONTEXT_MAX_ITEMS = 100
CONTEXT_MAX_CHARS = 4 * 1024
CONTEXT_MAX_DEPTH = 4
# All values of one record together, so that nested containers cannot multiply the bounds above.
CONTEXT_MAX_VALUES = 500
# Beyond 64 bits JSON readers disagree.
INT_MAX = 2 ** 63 - 1

# What every record has; the rest came with `extra=`.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
LEVEL_NAMES = frozenset(
    ["DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "NOTSET"]
)

_exceptions = logging.Formatter()
# The last whole second as text: records come many to a second.
_second = (0, "1970-01-01T00:00:00")  # type: Tuple[int, str]


def line(record: logging.LogRecord, component: Optional[str], message: Optional[str]) -> bytes:
    """The members of the record's JSON object, from after its `{` to the line end.

    `message` is the text of an own formatter, or None for the record's own.
    """
    text = message if message is not None else _message(record)
    entry = {
        "level": level(record.levelno),
        "component": (component or component_of(record.name))[:COMPONENT_MAX_CHARS],
        "message": _text(_shortened(text, MESSAGE_MAX_CHARS, (32 * 1024, 16 * 1024))),
    }  # type: Dict[str, Any]
    stamp = timestamp(record.created)
    if stamp is not None:
        entry["timestamp"] = stamp
    context = _context(record)
    if context:
        entry["context"] = context
    encoded = members(entry)
    if len(encoded) > LINE_MAX_BYTES and context:
        entry["context"] = {"context_dropped": True}
        encoded = members(entry)
    if len(encoded) > LINE_MAX_BYTES:
        entry["message"] = _text(_shortened(text, sum(CUT_MESSAGE_CHARS), CUT_MESSAGE_CHARS))
        encoded = members(entry)
    return encoded


def members(entry: Dict[str, Any]) -> bytes:
    """`entry` as one line of JSON without its opening brace."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8")[1:] + b"\n"


def level(number: int) -> str:
    """The nearest level of ours at or below a level of the logging module, custom ones too."""
    if number >= logging.CRITICAL:
        return "CRITICAL"
    if number >= logging.ERROR:
        return "ERROR"
    if number >= logging.WARNING:
        return "WARN"
    if number >= logging.INFO:
        return "INFO"
    return "DEBUG"


def component_of(name: str) -> str:
    """The last part of a logger's name; `app` for the root and for `__main__`."""
    last = str(name).rsplit(".", 1)[-1].strip()
    return "app" if last in ("", "root", "__main__") else _text(last)


def timestamp(created: float) -> Optional[str]:
    """Seconds since 1970 as RFC 3339 UTC with milliseconds; None when they are no time."""
    global _second
    try:
        # From whole microseconds, as the record's own stamp is at best exact to one.
        micros = int(round(created * 1e6))
        second, rest = divmod(micros, 1000000)
        if _second[0] != second:
            _second = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        kept = _second
        if kept[0] != second:  # another thread was faster
            kept = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        return "%s.%03dZ" % (kept[1], rest // 1000)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _message(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # the application's own __str__ may raise anything
        text = "%s (its arguments cannot be formatted: %s)" % (
            _printed(record.msg),
            type(error).__name__,
        )
    try:
        if record.exc_info and not record.exc_text:
            record.exc_text = _exceptions.formatException(record.exc_info)  # type: ignore[arg-type]
        if record.exc_text:
            text = "%s\n%s" % (text, record.exc_text)
        if record.stack_info:
            text = "%s\n%s" % (text, record.stack_info)
    except Exception as error:
        text = "%s (its traceback cannot be formatted: %s)" % (text, type(error).__name__)
    return text


def _context(record: logging.LogRecord) -> Dict[str, Any]:
    context = {}  # type: Dict[str, Any]
    room = [CONTEXT_MAX_VALUES]
    if record.levelname not in LEVEL_NAMES:
        context["level_name"] = _text(str(record.levelname))[:COMPONENT_MAX_CHARS]
    for key, value in list(vars(record).items()):
        if key in STANDARD:
            continue
        if len(context) >= CONTEXT_MAX_KEYS:
            context["context_cut"] = True
            break
        context[_shortened(_text(str(key)), 100, (100, 0))] = _safe(value, CONTEXT_MAX_DEPTH, room)
    return context


def _safe(value: Any, depth: int, room: list) -> Any:
    """`value` as JSON can carry it; `room` counts the values that may still be taken."""
    room[0] -= 1
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is int:
        return value if abs(value) <= INT_MAX else _printed(value)
    if kind is float:
        return value if math.isfinite(value) else _printed(value)
    if kind is str:
        return _shortened(_text(value), CONTEXT_MAX_CHARS, (CONTEXT_MAX_CHARS, 0))
    if depth > 0 and room[0] > 0:
        try:
            if isinstance(value, dict):
                items = list(value.items())[: min(CONTEXT_MAX_KEYS, room[0])]
                return {_printed(k)[:100]: _safe(v, depth - 1, room) for k, v in items}
            if isinstance(value, (list, tuple, set, frozenset)):
                some = list(value)[: min(CONTEXT_MAX_ITEMS, room[0])]
                return [_safe(item, depth - 1, room) for item in some]
        except Exception:  # changed by another thread meanwhile, or a class of its own ways
            return _printed(value)
    return _printed(value)


def _printed(value: Any) -> str:
    # What contains itself or others many times over can be a text of any length.
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return "(a %s of %d)" % (type(value).__name__, len(value))
    try:
        text = value if isinstance(value, str) else repr(value)
        return _shortened(_text(text), CONTEXT_MAX_CHARS, (CONTEXT_MAX_CHARS, 0))
    except Exception:
        return "(a %s that cannot be printed)" % type(value).__name__


def _text(text: str) -> str:
    """Without lone surrogates, which JSON readers refuse; they are shown as `\\udcff`."""
    try:
        text.encode("utf-8")
        return str(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _shortened(text: str, most: int, parts: Tuple[int, int]) -> str:
    if len(text) <= most:
        return text
    first, last = parts
    cut = len(text) - first - last
    return "%s\n... %d characters left out ...\n%s" % (text[:first], cut, text[len(text) - last :])
