//! Every bound of telling, each with its reason.

use std::time::Duration;

/// Default of a channel's `timeout_s`: one step of a conversation (connect, TLS, sign in, one
/// request) takes longer only when it will not end at all.
pub const TIMEOUT_S: u32 = 20;

/// Longest `timeout_s`: an alert that waits longer is better told by the next channel.
pub const TIMEOUT_MOST_S: u32 = 120;

/// A whole delivery, so that a server that answers every step slowly does not hold a place for
/// ever: RFC 5321 lets a server think for 10 minutes about a mail; nobody is told by then.
pub const DELIVERY: Duration = Duration::from_secs(3 * 60);

/// How long a mail server may take to say goodbye; the mail is delivered by then.
pub const GOODBYE: Duration = Duration::from_secs(2);

/// Longest wait that a provider's `Retry-After` is believed: the outbox gives up after a day.
pub const RETRY_AFTER_MOST: Duration = Duration::from_secs(24 * 3600);

/// Most that is read of an answer, in bytes. A page of 100 of Twilio's messages has 120 kB.
pub const ANSWER_BYTES: usize = 1024 * 1024;

/// Most that is read of what a mail server says at once before TLS, in bytes. Ten EHLO lines of
/// RFC 5321's 512 octets.
pub const REPLY_BYTES: usize = 5 * 1024;

/// Longest issue, in characters: a rule's name.
pub const ISSUE_CHARS: usize = 80;

/// Longest name of a machine, site or place, in characters.
pub const NAME_CHARS: usize = 60;

/// Longest facts, in characters: one or two sentences and a log line.
pub const FACTS_CHARS: usize = 1_000;

/// Longest text of one item of a digest, in characters.
pub const ITEM_CHARS: usize = 300;

/// Items that one message lists; the rest is counted.
pub const ITEMS: usize = 200;

/// Machines that an e-mail or our own JSON lists; the rest is counted.
pub const MACHINES: usize = 500;

/// Machines that one line of text names; the rest is counted.
pub const MACHINES_NAMED: usize = 10;

/// Longest id of an alert or a delivery, in characters: PagerDuty takes 255 as its dedup key.
pub const ID_CHARS: usize = 255;

/// Longest link, in characters: what browsers and providers take.
pub const LINK_CHARS: usize = 2_000;

/// Longest template of a subject, in characters: RFC 5322 says 998 for a line, people read 70.
pub const SUBJECT_TEMPLATE_CHARS: usize = 200;

/// Longest template of a body, in characters.
pub const BODY_TEMPLATE_CHARS: usize = 4_000;

/// Bars of a chart: three months of days, or four days of hours.
pub const BARS: usize = 100;

/// Longest explanation that an error carries, in characters; servers have been seen to answer
/// with whole web pages.
pub const WORDS_CHARS: usize = 300;

/// Longest subject, in characters, after a template was filled in.
pub const SUBJECT_CHARS: usize = 250;

/// Longest body, in characters, after a template was filled in: a digest's 200 items, once.
pub const BODY_CHARS: usize = 100_000;
