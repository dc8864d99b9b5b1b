//! The duty that asks the sources: one task a source, started, stopped and changed as the
//! configuration is. A source that hangs or fails holds up no other, and nothing that machines send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use ::drops::{Polled, SourceConfig, SourceError, Waited};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::timeout;
use wire::Micros;

use super::backoff::{after_failure, after_success};
use super::held::HeldBack;
use super::inbox::SourceInbox;
use super::{Live, Source, Status};
use crate::access::keys;
use crate::app::Shared;
use crate::clock;
use crate::drops::quarantine::{Reason, retry_waiting_soon};
use crate::drops::redact;
use crate::events::Event;

/// A poll that takes longer is broken off; the fetcher's own bound comes first.
const POLL_MOST: Duration = ::drops::limits::POLL.saturating_add(Duration::from_secs(60));
/// A mailbox that says itself what is new is still looked at so often: connections die silently.
const IDLE_MOST: Duration = Duration::from_secs(5 * 60);
/// A task that ended by a fault of ours begins again after so long.
const AFTER_FAULT: Duration = Duration::from_secs(60);
/// A refused password is not held back for longer than this after a start.
const FIRST_PAUSE_MOST: Duration = Duration::from_secs(6 * 60 * 60);
/// The catalog learns of polls that changed nothing so often, in microseconds.
const KEEP_EVERY_US: i64 = 10 * wire::time::MINUTE_US;

/// After word of new mail, so that a mailbox that always has word is not asked without a pause.
const AFTER_WORD: Duration = Duration::from_secs(1);

/// The tasks that run, by source.
#[derive(Default)]
struct Tasks {
    set: JoinSet<()>,
    running: BTreeMap<String, Running>,
}

struct Running {
    source: Arc<Source>,
    task: AbortHandle,
}

/// Runs the sources for ever; ended by aborting its task.
pub async fn run(app: Shared) {
    retry_waiting_soon(&app, Reason::Start);
    let mut changes = app.sources.changes();
    let mut tasks = Tasks::default();
    loop {
        tasks.match_configuration(&app);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            Some(ended) = tasks.set.join_next_with_id() => tasks.ended(&app, &ended),
        }
    }
}

impl Tasks {
    /// Ends the tasks of sources that were removed, switched off or changed, and starts those that
    /// are missing.
    fn match_configuration(&mut self, app: &Shared) {
        let polled = |live: &Live| live.source.enabled && live.source.config.interval().is_some();
        let wanted: BTreeMap<String, Live> = app
            .sources
            .all()
            .into_iter()
            .filter(polled)
            .map(|live| (live.source.id.clone(), live))
            .collect();
        self.running.retain(|id, running| {
            let stays = wanted
                .get(id)
                .is_some_and(|live| Arc::ptr_eq(&live.source, &running.source));
            if !stays {
                running.task.abort();
            }
            stays
        });
        for (id, live) in wanted {
            let app = app.clone();
            self.running.entry(id).or_insert_with(|| Running {
                source: Arc::clone(&live.source),
                task: self.set.spawn(ask_for_ever(app, live)),
            });
        }
    }

    /// A task ended: it was aborted, or came to a bad end in our own code and begins again.
    fn ended(&mut self, app: &Shared, ended: &Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some(source) = self
            .running
            .iter()
            .find(|(_, running)| running.task.id() == id)
            .map(|(source, _)| source.clone())
        else {
            return;
        };
        self.running.remove(&source);
        if let Err(error) = ended {
            // The words of a fault may quote a file.
            let error = redact::text(&error.to_string());
            tracing::error!(
                source,
                error,
                "asking a source ended in a fault; it begins again"
            );
            let fault = SourceError::Stopped("asking it failed in Vendlog itself".to_owned());
            // The new task finds it in the status, and waits.
            let change = |status: &mut Status| status.failed(&fault, clock::now(), AFTER_FAULT);
            app.sources.update(&source, change);
            app.events.publish(Event::Source(source));
        }
    }
}

/// Asks one source again and again.
async fn ask_for_ever(app: Shared, live: Live) {
    let source = &live.source;
    tokio::select! {
        () = live.wake.notified() => {}
        () = tokio::time::sleep(first_pause(&live.status, clock::now())) => {}
    }
    loop {
        let step = one_step(&app, source, &live.held, clock::now()).await;
        tokio::select! {
            // Somebody wants everything now, also what is left alone for a while.
            () = live.wake.notified() => live.held.release(),
            () = wait(&app, source, &step) => {}
        }
    }
}

/// A source is asked at once, but for one whose password was refused before this start: starting
/// again and again must not lock the account. A fault of ours has its pause too.
fn first_pause(status: &Status, now: Micros) -> Duration {
    let must_wait = status
        .kept
        .error
        .as_ref()
        .is_some_and(|(code, _)| code == "refused" || code == "stopped");
    let due_us = status.kept.next_poll_at.map_or(0, |due| due.since_us(now));
    match u64::try_from(due_us) {
        Ok(due_us) if must_wait => Duration::from_micros(due_us).min(FIRST_PAUSE_MOST),
        _ => Duration::ZERO,
    }
}

/// What a step found, and when the next one is due.
pub struct Step {
    /// How long to leave the source alone.
    pub pause: Duration,
    /// Up to where a mailbox was looked at, when the poll worked.
    mark: Option<String>,
    /// The poll worked.
    pub worked: bool,
    /// More waits there than one poll takes.
    has_more: bool,
}

/// Asks a source once, and keeps how it went.
pub async fn one_step(app: &Shared, source: &Source, held: &Arc<HeldBack>, now: Micros) -> Step {
    let before = app
        .sources
        .update(&source.id, |status| status.is_polling = true);
    let inbox = SourceInbox {
        app: app.clone(),
        source: source.id.clone(),
        is_mailbox: matches!(source.config, SourceConfig::Imap(_)),
        told_at: AtomicI64::new(0),
        held: Arc::clone(held),
    };
    let polled = timeout(POLL_MOST, ::drops::poll(&source.config, &inbox)).await;
    let polled = polled.unwrap_or_else(|_| {
        Err(SourceError::TimedOut {
            host: source.name.clone(),
            step: "a whole poll".to_owned(),
            seconds: POLL_MOST.as_secs(),
        })
    });
    let failures = before.as_ref().map_or(0, |status| status.failures);
    let interval = source.config.interval().unwrap_or(AFTER_FAULT);
    let ended = clock::now().max(now);
    let (step, change): (Step, Change) = match polled {
        Ok(polled) => worked(polled, interval, ended),
        Err(error) => {
            let pause = after_failure(&error, failures + 1, interval, dice());
            note_failure(source, &error, failures);
            let step = Step {
                pause,
                mark: None,
                worked: false,
                has_more: false,
            };
            (
                step,
                Box::new(move |status| status.failed(&error, ended, pause)),
            )
        }
    };
    let after = app.sources.update(&source.id, change);
    keep(app, source, before, after).await;
    step
}

/// What a poll changes of its source's status.
type Change = Box<dyn FnOnce(&mut Status) + Send>;

fn worked(polled: Polled, interval: Duration, now: Micros) -> (Step, Change) {
    let pause = after_success(interval, polled.has_more);
    let step = Step {
        pause,
        mark: polled.mark.clone(),
        worked: true,
        has_more: polled.has_more,
    };
    (
        step,
        Box::new(move |status| status.worked(&polled, now, pause)),
    )
}

/// A failure is said once, when it begins. Its words may quote names of files, and the source's
/// name is a person's.
fn note_failure(source: &Source, error: &SourceError, failures: u32) {
    if failures == 0 {
        tracing::warn!(
            source = source.id,
            name = redact::text(&source.name),
            code = error.code(),
            error = redact::text(&error.to_string()),
            "a source fails"
        );
    }
}

/// Tells the live stream of a change, and the catalog of what is to outlive this run.
async fn keep(app: &Shared, source: &Source, before: Option<Status>, after: Option<Status>) {
    let (Some(before), Some(after)) = (before, after) else {
        return; // it was removed meanwhile
    };
    let is_other = before.state(true) != after.state(true) || before.kept.error != after.kept.error;
    let has_files = before.kept.files_taken != after.kept.files_taken;
    if is_other || has_files {
        app.events.publish(Event::Source(source.id.clone()));
    }
    let last_kept = before.kept.last_poll_at.unwrap_or(Micros(0));
    let at = after.kept.last_poll_at.unwrap_or(Micros(0));
    let is_time = at.0.div_euclid(KEEP_EVERY_US) != last_kept.0.div_euclid(KEEP_EVERY_US);
    if !is_other && !is_time && !has_files {
        return;
    }
    let (id, kept) = (source.id.clone(), after.kept);
    let done = app
        .with_store(move |store| store.cell().set_source_status(&id, &kept))
        .await;
    if let Err(error) = done {
        tracing::warn!(error = error.message(), "how a source does was not kept");
    }
}

/// Waits until the next poll is due: by the clock, or until a mailbox says that something is new.
async fn wait(app: &Shared, source: &Source, step: &Step) {
    let is_mailbox = matches!(source.config, SourceConfig::Imap(_));
    if step.worked && is_mailbox && !step.has_more {
        let most = IDLE_MOST.max(step.pause);
        let due = |pause| move |status: &mut Status| status.due_in(clock::now(), pause);
        app.sources.update(&source.id, due(most));
        let waited = ::drops::wait_for_new(
            &source.config,
            step.mark.as_deref(),
            most,
            ::drops::limits::IDLE_AGAIN,
        )
        .await;
        match waited {
            Ok(Waited::New) => return tokio::time::sleep(AFTER_WORD).await,
            Ok(Waited::Nothing) => return,
            Ok(Waited::CannotWait) | Err(_) => app.sources.update(&source.id, due(step.pause)),
        };
    }
    tokio::time::sleep(step.pause).await;
}

/// 0 to 1; the middle when the system gives no random bytes.
fn dice() -> f64 {
    keys::random::<1>().map_or(0.5, |[byte]| f64::from(byte) / 255.0)
}
