//! How logs are worded, whatever the application: what the mixing codec has read before its first
//! dictionary. Part of the format: a changed letter here makes every drop unreadable.

/// The 1,500 words that stand in the messages of most programs: counted in the texts of 729 crates
/// and of Python's own library, the rarest first.
pub(super) const WORDS: &str = include_str!("words.txt");

/// Lines of Python, of Linux and of devices.
pub(super) const LINES: &str = "\
Traceback (most recent call last):\n  File \"/home/pi/<str>.py\", line <int>, in <str>
Traceback (most recent call last):\n  File \"/usr/lib/python<dec>/<str>.py\", line <int>, in run\n    self.
Connection refused
Connection reset by peer
Connection timed out after <int> seconds
[Errno <int>] No such file or directory: '<str>'
[Errno <int>] Permission denied: '<str>'
[Errno <int>] Input/output error
[Errno <int>] No space left on device
OSError: [Errno <int>] Device or resource busy
ConnectionError: HTTPSConnectionPool(host='<str>', port=<int>): Max retries exceeded with url: <str>
TimeoutError: timed out
ValueError: invalid literal for int() with base <int>: '<str>'
KeyError: '<str>'
TypeError: unsupported operand type(s)
RuntimeError: cannot
Failed to open <str>: no such file
Failed to read from device /dev/ttyUSB<int>
Failed to connect to <id>:<int>, retrying in <int> seconds
Failed to write configuration
Failed to send message after <int> attempts
Could not load settings from <str>, using defaults
Unable to resolve host
Unexpected response from server: <int>
Retry <int> of <int> failed: connection closed
Retrying request, attempt <int>/<int>
Request completed in <int> ms with status <int>
Response time <int>ms exceeds threshold of <int>ms
Started, version <id>
Starting service on port <int>
Stopping service, waiting for workers to finish
Shutting down after signal <int>
Restarting in <int>s
Initialized device, firmware version <id>, serial number <id>
Loaded <int> records from database in <dec> seconds
Saved state to disk (<int> bytes)
Temperature <dec>C above limit <dec>C
Temperature sensor reading invalid, value=<dec>
Humidity <int>% is out of range
Pressure low: <dec> psi
Voltage <dec>V below minimum <dec>V
Battery level at <int>%
Current <dec>A exceeded for <int> ms
Motor stalled at position <int>
Motor driver fault on channel <int>
Sensor <int> not responding
Sensor calibration finished: offset <int>, gain <dec>
Pump <int> running for <dec>s, dispensed <dec> ml
Valve opened
Valve closed after <int> ms
Door opened
Door closed
Tank <int> level <int>%, refill required
Inventory low for slot <int>: <int> remaining
Product <int> sold for <money>
Payment accepted: <money>
Payment declined: insufficient funds
Payment timeout after <int>s
Card reader error, code <int>
Card removed too early
Coin jam detected in acceptor
Cash box is full
Bill rejected: unknown denomination
Refund of <money> issued for order <int>
Transaction <hex> completed: total <money>, tax <money>
Transaction cancelled by customer
Session started for user <id>
Session expired
User interface ready
Screen timeout
Network interface wlan<int> is down
Network is unreachable
Signal strength <int> dBm
Link quality <int>/<int>
Clock adjusted by <dec> seconds
Watchdog reset
Memory usage <int> MB, free <int> MB
Disk usage <int>% on /var/log
CPU load <dec>
Queue is full, dropping <int> messages
Uploaded <int> files (<int> KB) in <dec>s
Download failed: checksum mismatch
Update available: version <id>
Heartbeat sent, uptime <int>s
Checksum error in frame <int>
Frame received: <hex>
Invalid command 0x<hex>
Unknown status: <str>
Warning: low
Error while processing
Exception in thread
{\"error\":\"<str>\",\"retry\":<int>}
{\"code\":<int>,\"duration_ms\":<int>}
{\"temperature\":<dec>,\"voltage\":<dec>}
{\"product\":\"<str>\",\"price\":<dec>,\"quantity\":<int>}
{\"attempt\":<int>,\"max\":<int>}
{\"sensor\":\"<str>\",\"value\":<dec>}
{\"transaction_id\":\"<hex>\",\"amount_cents\":<int>,\"retry_count\":<int>}
{\"event\":\"<str>\"}
{\"expected\":<int>,\"actual\":<int>}
{\"url\":\"https://<str>\",\"status\":<int>}
payment
motor
network
display
sensor
temperature
inventory
system
scheduler
storage
controller
";
