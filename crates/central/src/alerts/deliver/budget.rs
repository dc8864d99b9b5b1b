//! What may still be sent by a channel in 24 hours, so that a storm does not cost a fortune. The first
//! message of a critical alert has a larger limit of its own: it must not be a storm of other messages
//! that keeps somebody from being told.

use alerts::Outgoing;
use alerts::Subject;
use alerts::config::rule::Severity;
use alerts::life::Why;
use wire::Micros;
use wire::time::DAY_US;

/// Urgent messages may go up to so many times the limit.
const EMERGENCY_TIMES: u64 = 3;
/// And at least so many beyond it: a limit of 1 must not let only three alarms through.
const EMERGENCY_MORE: u64 = 20;

/// Since when messages count: 24 hours, so that midnight opens no second budget.
pub fn since(now: Micros) -> Micros {
    now.plus_us(-DAY_US)
}

/// How many messages a channel may send in 24 hours when this is one of them.
pub fn allowed(limit: u32, outgoing: &Outgoing) -> u64 {
    let limit = u64::from(limit);
    if is_urgent(outgoing) {
        (limit * EMERGENCY_TIMES).max(limit + EMERGENCY_MORE)
    } else {
        limit
    }
}

/// The first that somebody hears of a critical alert.
pub fn is_urgent(outgoing: &Outgoing) -> bool {
    let first = matches!(
        outgoing.subject,
        Subject::Alert(Why::First | Why::Escalation(_))
            | Subject::Group(Why::First | Why::Escalation(_))
    );
    first && outgoing.severity == Severity::Critical
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::outgoing;
    use super::*;

    #[test]
    fn the_first_message_of_a_critical_has_a_larger_limit() {
        let mut message = outgoing();
        message.severity = Severity::Critical;
        assert_eq!(allowed(50, &message), 150);
        assert_eq!(allowed(0, &message), 20, "not even a limit of none");
        message.subject = Subject::Alert(Why::Repeat(1));
        assert_eq!(allowed(50, &message), 50);
        message.subject = Subject::Alert(Why::First);
        message.severity = Severity::Warning;
        assert_eq!(allowed(50, &message), 50);
    }
}
