//! How a source does: what the catalog keeps of it, and what only this run knows.

use std::time::Duration;

use drops::{Polled, SourceError};
use serde::{Deserialize, Serialize};
use store::SourceStatus;
use utoipa::ToSchema;
use wire::Micros;

use crate::drops::{Taken, redact};

/// The word beside a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// It was not asked yet, or has brought nothing yet.
    Never,
    /// The last poll worked, or files are posted.
    Ok,
    /// The last poll failed.
    Failing,
    /// It is switched off.
    Off,
}

/// How a source does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// What the catalog keeps.
    pub kept: SourceStatus,
    /// Polls that failed since the last that worked.
    pub failures: u32,
    /// It is being asked at this moment.
    pub is_polling: bool,
    /// When the "Test Transport" of the service called; kind `http`.
    pub tested_at: Option<Micros>,
    /// Files that the last poll could not take although the source works, in words.
    pub troubles: Vec<String>,
    /// What the last poll found that was no drop and was passed over.
    pub skipped: u64,
}

impl Status {
    /// What stays when the configuration changes: the counts, and when files came.
    pub fn begun_anew(self) -> Status {
        Status {
            kept: SourceStatus {
                next_poll_at: None,
                failing_since: None,
                error: None,
                ..self.kept
            },
            tested_at: self.tested_at,
            ..Status::default()
        }
    }

    /// The word.
    pub fn state(&self, enabled: bool) -> SourceState {
        if !enabled {
            SourceState::Off
        } else if self.kept.failing_since.is_some() {
            SourceState::Failing
        } else if self.kept.last_success_at.is_some() {
            SourceState::Ok
        } else {
            SourceState::Never
        }
    }

    /// A file came.
    pub fn took(&mut self, taken: &Taken, now: Micros) {
        if taken.drops + taken.repeats + taken.quarantined == 0 {
            return;
        }
        self.kept.files_taken += 1;
        self.kept.drops_taken += taken.drops;
        self.kept.quarantined += taken.quarantined;
        self.kept.last_file_at = Some(now);
    }

    /// A poll worked.
    pub fn worked(&mut self, polled: &Polled, now: Micros, pause: Duration) {
        self.failures = 0;
        self.skipped = polled.passed_over;
        self.troubles = polled
            .troubles
            .iter()
            .map(|trouble| redact::text(&format!("{}: {}", trouble.name, trouble.message)))
            .collect();
        self.kept.last_success_at = Some(now);
        self.kept.failing_since = None;
        self.kept.error = None;
        self.polled(now, pause);
    }

    /// A poll failed.
    pub fn failed(&mut self, error: &SourceError, now: Micros, pause: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.kept.failing_since.get_or_insert(now);
        self.kept.error = Some((error.code().to_owned(), redact::text(&error.to_string())));
        self.polled(now, pause);
    }

    fn polled(&mut self, now: Micros, pause: Duration) {
        self.is_polling = false;
        self.kept.last_poll_at = Some(now);
        self.due_in(now, pause);
    }

    /// Files are posted, or were in a test: it works.
    pub fn posted(&mut self, now: Micros) {
        self.kept.last_success_at = Some(now);
    }

    /// When it is asked next.
    pub fn due_in(&mut self, now: Micros, pause: Duration) {
        let pause_us = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        self.kept.next_poll_at = Some(now.plus_us(pause_us));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_source_fails_from_the_first_failure_on_until_a_poll_works() {
        let mut status = Status::default();
        assert_eq!(status.state(true), SourceState::Never);
        let refused = SourceError::Refused("the password was refused".into());
        status.failed(&refused, Micros(1), MINUTE);
        status.failed(&refused, Micros(2), MINUTE);
        assert_eq!(status.state(true), SourceState::Failing);
        assert_eq!(status.state(false), SourceState::Off);
        assert_eq!(
            (status.kept.failing_since, status.failures),
            (Some(Micros(1)), 2)
        );
        assert_eq!(status.kept.next_poll_at, Some(Micros(60_000_002)));
        status.worked(&Polled::default(), Micros(3), MINUTE);
        assert_eq!(status.state(true), SourceState::Ok);
        assert_eq!((status.kept.error, status.failures), (None, 0));
    }

    #[test]
    fn a_mail_about_something_else_is_no_file_that_was_taken() {
        let mut status = Status::default();
        let other = Taken {
            skipped: 2,
            ..Taken::default()
        };
        status.took(&other, Micros(1));
        let polled = Polled {
            passed_over: 1,
            ..Polled::default()
        };
        status.worked(&polled, Micros(2), MINUTE);
        assert_eq!((status.kept.files_taken, status.skipped), (0, 1));
        status.worked(&Polled::default(), Micros(3), MINUTE);
        assert_eq!(status.skipped, 0, "it is not looked at again");
    }

    #[test]
    fn a_change_forgets_the_failure_and_keeps_the_counts() {
        let mut status = Status::default();
        status.took(
            &Taken {
                drops: 3,
                ..Taken::default()
            },
            Micros(5),
        );
        status.failed(&SourceError::Refused("no".into()), Micros(6), MINUTE);
        let anew = status.begun_anew();
        assert_eq!(anew.state(true), SourceState::Never);
        assert_eq!((anew.kept.files_taken, anew.kept.drops_taken), (1, 3));
    }
}
