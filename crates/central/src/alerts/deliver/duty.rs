//! The duty that works the outbox off: each message that is due is a task, a few for each channel, so
//! that a mail server that hangs holds up no SMS.

use std::time::Duration;

use store::Message;
use tokio::task::JoinSet;
use wire::Micros;

use super::call::deliver;
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;

/// Messages that are looked at in a step; more follow in the next.
const STEP_MESSAGES: usize = 100;
/// Messages that are sent at a time, by all channels together.
const AT_ONCE: usize = 32;
/// How often the outbox is looked at for messages that are to go again; new ones wake the duty.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The duty.
#[derive(Default)]
pub struct Duty {
    calls: JoinSet<()>,
}

impl Duty {
    /// Begins to send what is due; answers how many messages that were.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn one_step(&mut self, app: &Shared, now: Micros) -> Result<usize, ApiError> {
        while self.calls.try_join_next().is_some() {}
        let mut begun = 0;
        loop {
            let free = AT_ONCE.saturating_sub(self.calls.len());
            if free == 0 || app.delivery.is_closing() {
                break;
            }
            // Before the outbox is read: what was being sent then may be put off by now.
            let busy = app.delivery.channels.busy();
            let but = app.delivery.channels.full();
            let due = app
                .with_store(move |store| store.alerts().due(now, STEP_MESSAGES, &but))
                .await?;
            let before = begun;
            for message in due {
                let is_free = self.calls.len() < AT_ONCE && !busy.contains(&message.id);
                let channel = &message.outgoing.channel;
                if is_free && app.delivery.channels.enter(message.id, channel) {
                    begun += 1;
                    self.calls.spawn(send(app.clone(), message));
                }
            }
            // Others may wait behind those of a channel that is full now.
            if begun == before {
                break;
            }
        }
        app.delivery.worked(now);
        Ok(begun)
    }
}

/// A place of a channel, given back however the call ends.
struct Place(Shared, u64);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.delivery.channels.leave(self.1);
    }
}

async fn send(app: Shared, message: Message) {
    let id = message.id;
    let place = Place(app, id);
    if let Err(error) = deliver(&place.0, message).await {
        tracing::error!(id, error = error.message(), "a message was not worked off");
        // It is due still: not at once again.
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}

/// Steps for ever; ended by aborting its task.
pub async fn run(app: Shared) {
    let mut duty = Duty::default();
    let mut failing = false;
    loop {
        match duty.one_step(&app, clock::now()).await {
            Ok(_) => failing = false,
            // Said once: a store that fails fails every time.
            Err(error) => {
                if !failing {
                    tracing::error!(error = error.message(), "the outbox cannot be read");
                }
                failing = true;
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        tokio::select! {
            () = app.delivery.wake.notified() => {}
            Some(_) = duty.calls.join_next() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
