//! The one thread that writes. It takes what waits, commits it together (day files first, then the
//! catalog), and only then answers.

pub(crate) mod days;
mod effects;
pub(crate) mod judge;
mod left;
mod plan;
pub(crate) mod queue;
mod recount;
pub(crate) mod replay;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use wire::time::HOUR_US;
use wire::{MachineId, Micros};

use crate::catalog::alerts::{deliveries, rows};
use crate::catalog::cell::{self, intake};
use crate::catalog::runs::{Merge, RUN_REFUSED, Run};
use crate::catalog::{contacts, days as catalog_days, ledger, machines, rollups};
use crate::cell::arrived::Arrival;
use crate::day::Day;
use crate::day::commits::Range;
use crate::entry::PathKind;
use crate::error::StoreError;
use crate::shared::{MachineNo, Shared};
use crate::sqlite;
use crate::writer::days::OpenDays;
use crate::writer::effects::Effects;
use crate::writer::judge::Judge;
use crate::writer::plan::{DayPlan, Plan};
use crate::writer::queue::{AlertsJob, AppendJob, CatalogJob, Done, Job, Outcome, Queue};

/// Day files that one step of a group writes; a batch of a whole year's days takes several steps,
/// so that their files are not all open at once.
const DAYS_PER_STEP: usize = 6;
/// A WAL larger than this is taken into its database and cut, so that it stays bounded also when
/// readers held the ordinary checkpoints back.
const WAL_MAX_BYTES: u64 = 48 * 1024 * 1024;

/// The state of the writer's thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    catalog: Connection,
    days: OpenDays,
    /// Days whose files may have commits that the catalog does not have, because a group failed in
    /// between: they are taken over before the next group.
    behind: BTreeSet<Day>,
    /// When minutes were last forgotten.
    tidied: Micros,
    judge: Judge,
    /// A transaction failed that the engine had changed in.
    is_judge_stale: bool,
}

impl Writer {
    /// A writer over an open catalog that is up to its day files. Entries that a crash kept from being
    /// judged are judged now.
    ///
    /// # Errors
    /// The alerts cannot be read.
    pub(crate) fn new(
        shared: Arc<Shared>,
        catalog: Connection,
        days: OpenDays,
        now: Micros,
    ) -> Result<Writer, StoreError> {
        let judge = Judge::load(&catalog, now)?;
        deliveries::reset_calling(&catalog)?;
        Ok(Writer {
            shared,
            catalog,
            days,
            behind: BTreeSet::new(),
            tidied: Micros(i64::MIN),
            judge,
            is_judge_stale: false,
        })
    }

    /// Works until the queue is closed and empty, then leaves the files as small as they go.
    pub(crate) fn run(mut self, queue: &Queue) {
        while let Some(jobs) = queue.take() {
            self.step(jobs);
        }
        self.checkpoint(0);
    }

    fn step(&mut self, jobs: Vec<Job>) {
        let (mut appends, mut changes, mut alerts) = (Vec::new(), Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Append(job) => appends.push(job),
                Job::Catalog(job) => changes.push(job),
                Job::Alerts(job) => alerts.push(job),
            }
        }
        for group in groups(appends) {
            self.append(group);
        }
        if !changes.is_empty() {
            self.change(changes);
        }
        for job in alerts {
            self.alert(job);
        }
        self.tell_changed();
        self.checkpoint(WAL_MAX_BYTES);
    }

    /// Tells of alerts that changed, now that they are durable; a panic there must not end the writer.
    fn tell_changed(&mut self) {
        let changed = self.judge.take_changed();
        let Some(listener) = self.shared.listener().filter(|_| !changed.is_empty()) else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(|| listener(&changed))).is_err() {
            tracing::error!("who listens to changes of alerts panicked");
        }
    }

    /// Changes alerts.
    fn alert(&mut self, job: AlertsJob) {
        if let Err(error) = self.mend_judge() {
            return answer(job.done, Err(error));
        }
        let knew_machines = self.judge.engine.has_ticked();
        let judge = &mut self.judge;
        let mut outcome = transaction(&self.catalog, |catalog| {
            judge.run(catalog, |judge| (job.run)(&mut judge.engine, catalog))
        });
        if outcome.is_ok() && !knew_machines {
            outcome = self.judge_left();
        }
        if let Err(error) = &outcome {
            tracing::error!(%error, "a change of alerts was not stored");
            self.recover();
        }
        answer(job.done, outcome);
    }

    /// Stores a group of batches and answers each. When a group fails for another reason than the
    /// disk, its batches are tried one by one: one of them must not take the others with it.
    fn append(&mut self, jobs: Vec<AppendJob>) {
        let arrivals: Vec<&Arrival> = jobs.iter().map(|job| &job.arrival).collect();
        match self.commit(&arrivals) {
            Ok(outcomes) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    answer(job.done, outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, batches = jobs.len(), "a group of batches was not stored");
                self.recover();
                if jobs.len() > 1 && error != StoreError::DiskFull {
                    for job in jobs {
                        self.append(vec![job]);
                    }
                } else {
                    for job in jobs {
                        answer(job.done, Err(error.clone()));
                    }
                }
            }
        }
    }

    fn commit(
        &mut self,
        arrivals: &[&Arrival],
    ) -> Result<Vec<Result<Outcome, StoreError>>, StoreError> {
        self.mend_judge()?;
        self.catch_up()?;
        let mut plan = plan::plan(&self.catalog, &self.shared, &mut self.days, arrivals)?;
        let mut waiting = std::mem::take(&mut plan.days);
        loop {
            let mut step = BTreeMap::new();
            while step.len() < DAYS_PER_STEP
                && let Some((day, work)) = waiting.pop_last()
            {
                step.insert(day, work);
            }
            let last = waiting.is_empty();
            self.commit_step(step, last, &mut plan, arrivals)?;
            if last {
                return Ok(plan.outcomes);
            }
        }
    }

    /// Commits some day files and then the catalog; the last step also what concerns no day.
    fn commit_step(
        &mut self,
        mut step: BTreeMap<Day, DayPlan>,
        last: bool,
        plan: &mut Plan,
        arrivals: &[&Arrival],
    ) -> Result<(), StoreError> {
        // Nothing new, only "seen again" for a day whose file is gone: nothing to mark.
        step.retain(|day, work| !work.rows.is_empty() || self.shared.days().contains(day));
        // All are opened before one is written: a damaged one must not leave the rows of others
        // behind a refusal, to come again with each try of a sender that does not number.
        for &day in step.keys() {
            self.days.get(&self.shared, day)?;
        }
        let mut effects = Vec::new();
        for (day, work) in step {
            let applied = catalog_days::applied_commit(&self.catalog, day)?;
            let file = self.days.get(&self.shared, day)?;
            self.behind.insert(day);
            effects.push(file.write(&self.shared, applied, work, arrivals, &mut plan.outcomes)?);
        }
        self.remove_moved(&mut effects)?;
        let now = arrivals
            .iter()
            .map(|arrival| arrival.new.received_at)
            .max()
            .unwrap_or_default();
        let tidy = last && now.since_us(self.tidied).saturating_abs() > HOUR_US;
        let (shared, days, judge) = (&self.shared, &mut self.days, &mut self.judge);
        transaction(&self.catalog, |catalog| {
            for effect in &effects {
                judge.entries(catalog, effect.fresh(), arrivals)?;
                for (machine, level) in effect.apply(catalog)? {
                    days.look_up_newest(shared, catalog, (machine, level), effect.day())?;
                }
            }
            if !last {
                return Ok(());
            }
            for &(machine, epoch, seq, day) in &plan.refused {
                let run = Run {
                    first: seq,
                    last: seq,
                    day: day.0,
                    flags: RUN_REFUSED,
                };
                ledger::add(catalog, machine, epoch, run, Merge::Keep)?;
            }
            for &(machine, place) in &plan.senders {
                take_note(catalog, machine, arrivals[place], &mut plan.outcomes[place])?;
            }
            if tidy {
                rollups::forget_minutes(catalog, now)?;
                cell::forget_old(catalog, now)?;
                rows::forget_old(catalog, now)?;
            }
            Ok(())
        })?;
        self.behind.clear();
        if tidy {
            self.tidied = now;
        }
        self.days.trim();
        Ok(())
    }

    /// Removes rows whose better ones were committed to other days' files just now. Only after that,
    /// so that a crash in between leaves the row twice for a moment and never not at all; before the
    /// catalog, so that opening the store finds what is left to remove.
    fn remove_moved(&mut self, effects: &mut Vec<Effects>) -> Result<(), StoreError> {
        let mut moved: BTreeMap<Day, Vec<Range>> = BTreeMap::new();
        for (from, range) in effects.iter().flat_map(Effects::moved) {
            moved.entry(from).or_default().push(range);
        }
        for (day, ranges) in moved {
            let applied = catalog_days::applied_commit(&self.catalog, day)?;
            let file = self.days.get(&self.shared, day)?;
            self.behind.insert(day);
            effects.extend(file.remove(applied, &ranges)?);
        }
        Ok(())
    }

    /// After a failure nothing that is remembered can be trusted: day files are closed (which
    /// rolls back), and the catalog is brought up to what they did commit.
    fn recover(&mut self) {
        self.days.forget();
        match sqlite::open_writer(
            &self.shared.catalog_path(),
            sqlite::Kind::Catalog,
            &self.shared.key,
        ) {
            Ok(catalog) => self.catalog = catalog,
            Err(error) => tracing::error!(%error, "the catalog cannot be opened again"),
        }
        self.is_judge_stale = true;
        if let Err(error) = self.mend_judge() {
            tracing::error!(%error, "the catalog is behind its day files");
        }
    }

    /// Takes over what a failed group left in day files.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        if !self.behind.is_empty() {
            let days = self.behind.iter().copied();
            replay::replay(&self.shared, &self.catalog, &mut self.days, days)?;
            self.behind.clear();
        }
        Ok(())
    }

    /// Runs changes of the catalog in one transaction, each in its own savepoint.
    fn change(&mut self, jobs: Vec<CatalogJob>) {
        let mut dones = Vec::new();
        let mut outcomes = Vec::new();
        let changes_machines = jobs.iter().any(|job| job.changes_machines);
        let committed = transaction(&self.catalog, |catalog| {
            for job in jobs {
                dones.push(job.done);
                catalog.execute_batch("SAVEPOINT change")?;
                let outcome = (job.run)(catalog);
                if outcome.is_err() {
                    catalog.execute_batch("ROLLBACK TO change")?;
                }
                catalog.execute_batch("RELEASE change")?;
                outcomes.push(outcome);
            }
            Ok(())
        });
        let committed = committed.and_then(|()| {
            if changes_machines {
                self.shared.set_registry(machines::registry(&self.catalog)?);
            }
            Ok(())
        });
        match committed {
            Ok(()) => {
                for (done, outcome) in dones.into_iter().zip(outcomes) {
                    answer(done, outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, "changes of the catalog were not stored");
                self.recover();
                for done in dones {
                    answer(done, Err(error.clone()));
                }
            }
        }
    }

    /// Takes WALs larger than this into their databases. A reader in the way is not waited for
    /// longer than the busy time; the next step tries again.
    fn checkpoint(&self, larger_than: u64) {
        let days = self
            .days
            .connections()
            .map(|(day, conn)| (self.shared.day_path(day), conn));
        for (path, conn) in days.chain([(self.shared.catalog_path(), &self.catalog)]) {
            let mut wal = path.into_os_string();
            wal.push("-wal");
            let size = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
            if size > larger_than
                && let Err(error) = sqlite::cut_wal(conn)
            {
                tracing::warn!(%error, "a write-ahead log was not cut");
            }
        }
    }
}

/// Parts a group so that where a machine's drop is in a part, nothing else of that machine is: what
/// came by one path may replace what came by the other, and finds it in its day file.
fn groups(jobs: Vec<AppendJob>) -> Vec<Vec<AppendJob>> {
    let mut groups: Vec<Vec<AppendJob>> = Vec::new();
    let mut senders: HashMap<MachineId, PathKind> = HashMap::new();
    for job in jobs {
        let new = &job.arrival.new;
        let before = senders.insert(new.machine.clone(), new.path);
        let clashes =
            before.is_some_and(|before| before == PathKind::Cell || new.path == PathKind::Cell);
        if clashes {
            senders.clear();
            senders.insert(new.machine.clone(), new.path);
        }
        match groups.last_mut() {
            Some(group) if !clashes => group.push(job),
            _ => groups.push(vec![job]),
        }
    }
    groups
}

/// Takes note of who sent an arrival, and of the drop when it is one.
fn take_note(
    catalog: &Connection,
    machine: MachineNo,
    arrival: &Arrival,
    outcome: &mut Result<Outcome, StoreError>,
) -> Result<(), StoreError> {
    let new = &arrival.new;
    match (&arrival.drop, outcome) {
        (Some(part), Ok(outcome)) => {
            let receipt = &outcome.receipt;
            let before = intake::take(catalog, machine, part, new.received_at, receipt)?;
            outcome.drop = Some(before);
        }
        _ => contacts::touch(catalog, machine, new.path, new.received_at)?,
    }
    Ok(())
}

/// Runs `work` in a transaction that is committed when it succeeds and rolled back otherwise.
pub(crate) fn transaction<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let result = work(conn).and_then(|value| {
        conn.execute_batch("COMMIT")?;
        Ok(value)
    });
    if result.is_err() && !conn.is_autocommit() {
        // When this fails too, the connection is closed by `recover`, which rolls back.
        let _ = conn.execute_batch("ROLLBACK");
    }
    result
}

/// Calls back; a panic there must not end the writer.
fn answer<T>(done: Done<T>, outcome: Result<T, StoreError>) {
    if catch_unwind(AssertUnwindSafe(|| done(outcome))).is_err() {
        tracing::error!("a caller's callback panicked");
    }
}
