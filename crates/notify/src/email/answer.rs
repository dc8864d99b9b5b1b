//! What a mail server's refusal means: RFC 5321's codes, RFC 3463's enhanced ones, and which step
//! they answer.

use std::error::Error as _;

use crate::{SendError, clean, limits};

/// What was asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Greeting,
    Hello,
    StartTls,
    SignIn,
    Sender,
    Recipient,
    Data,
    Content,
}

impl Step {
    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Step::Greeting => "its greeting",
            Step::Hello => "our greeting",
            Step::StartTls => "STARTTLS",
            Step::SignIn => "the sign-in",
            Step::Sender => "the sender",
            Step::Recipient => "the recipient",
            Step::Data | Step::Content => "the mail",
        }
    }
}

/// A refusal of `step`.
pub(super) fn answered(host: &str, step: Step, code: u16, text: &str) -> SendError {
    let text = clean::line(text, limits::WORDS_CHARS);
    let said = format!("{host} answers {code} to {}: {text}", step.name());
    if (400..500).contains(&code) {
        return SendError::temporary("busy", format!("{said}; it is tried again"));
    }
    let lower = text.to_ascii_lowercase();
    // 530 and 5.7.0: sign in first. "Relay": the server does not send for us.
    let is_ours = code == 530 || lower.contains("5.7.0") || lower.contains("relay");
    match step {
        Step::Greeting | Step::Hello | Step::StartTls => {
            SendError::broken("protocol", format!("{said}; check host, port and tls"))
        }
        Step::SignIn => SendError::broken(
            "refused",
            format!("{said}; set this channel's user and password again"),
        ),
        Step::Sender => SendError::broken(
            "forbidden",
            format!("{said}; set a from address that this account may send as"),
        ),
        Step::Recipient if is_ours => SendError::broken(
            "forbidden",
            format!("{said}; set the user and password of an account that may send"),
        ),
        Step::Recipient => {
            SendError::refused("address", format!("{said}; check this person's address"))
        }
        Step::Data | Step::Content => SendError::refused("rejected", said),
    }
}

/// What an error of lettre's means.
pub(super) fn failed(host: &str, step: Step, error: &lettre::transport::smtp::Error) -> SendError {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some(code) = error.status() {
        let code = code.to_string().parse().unwrap_or(500);
        return answered(host, step, code, &cause);
    }
    let cause = clean::line(&cause, limits::WORDS_CHARS);
    if error.is_client() && step == Step::SignIn {
        return SendError::broken(
            "refused",
            format!("{host} offers no way to sign in that is known here (PLAIN, LOGIN)"),
        );
    }
    SendError::temporary(
        "unreachable",
        format!(
            "the connection to {host} broke at {} ({cause}); it is tried again",
            step.name()
        ),
    )
    .maybe_arrived(step == Step::Content)
}
