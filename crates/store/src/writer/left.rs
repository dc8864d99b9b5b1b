//! Entries that are stored and not judged yet, and an engine that a failed transaction left behind.

use crate::catalog::alerts::rows;
use crate::day::Day;
use crate::error::StoreError;
use crate::writer::{Writer, transaction};

impl Writer {
    /// Judges what was stored and not judged: after a crash, and before machines were known. Each run by
    /// itself: one that cannot be judged must not keep the others from it, nor the store from opening.
    pub(super) fn judge_left(&mut self) -> Result<(), StoreError> {
        if !self.judge.engine.has_ticked() {
            return Ok(());
        }
        for run in rows::unjudged(&self.catalog)? {
            let (shared, days, judge) = (&self.shared, &mut self.days, &mut self.judge);
            days.trim();
            let outcome = transaction(&self.catalog, |catalog| {
                if shared.days().contains(&Day(run.day)) {
                    let file = days.get(shared, Day(run.day))?;
                    judge.left(catalog, shared, file, run)?;
                }
                Ok(rows::remove_unjudged(catalog, run)?)
            });
            if let Err(error) = outcome {
                self.judge.reload(&self.catalog)?;
                if error == StoreError::DiskFull {
                    return Err(error);
                }
                tracing::error!(%error, ?run, "entries could not be judged and never will be");
                rows::remove_unjudged(&self.catalog, run)?;
            }
        }
        Ok(())
    }

    /// After a failure the engine holds what was rolled back: it is made again from what was kept, and
    /// what it missed is judged.
    pub(super) fn mend_judge(&mut self) -> Result<(), StoreError> {
        if self.is_judge_stale {
            self.catch_up()?;
            self.judge.reload(&self.catalog)?;
            self.judge_left()?;
            self.is_judge_stale = false;
        }
        Ok(())
    }
}
