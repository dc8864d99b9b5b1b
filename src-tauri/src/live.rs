//! Live events on their way to the page: who listens, and what ends it. The events themselves are
//! central's; the one that begins here is `navigate`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;

use crate::problem::Problem;

/// A page needs one subscription; a few more are room for a second view. Beyond this it leaks them.
const MAX_SUBSCRIPTIONS: usize = 16;

/// One message of a subscription's channel.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// The resume point after this event; null for events that cannot be resumed.
    pub id: Option<String>,
    /// The event's name.
    pub event: String,
    /// The event's content.
    pub data: Value,
}

impl Message {
    /// An event of central. Its data is always JSON; were it not, the page would get null.
    pub fn of(message: central::events::Message) -> Self {
        let data = serde_json::from_str(&message.data).unwrap_or_default();
        Self {
            id: Some(message.id),
            event: message.event.to_owned(),
            data,
        }
    }

    /// Asks the page to show another of its addresses.
    fn navigate(path: &str) -> Self {
        Self {
            id: None,
            event: "navigate".to_owned(),
            data: json!({ "path": path }),
        }
    }
}

/// The open subscriptions of the page.
#[derive(Default)]
pub struct Live {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u32,
    open: HashMap<u32, Subscription>,
    /// Where to go as soon as a page listens.
    waiting: Option<String>,
}

struct Subscription {
    channel: Channel<Message>,
    pump: JoinHandle<()>,
}

impl Live {
    /// Registers a channel with the task that feeds it, made by `pump` from the channel.
    ///
    /// # Errors
    /// `too_many_subscriptions` when the page holds [`MAX_SUBSCRIPTIONS`] already.
    pub fn begin(
        &self,
        channel: Channel<Message>,
        pump: impl FnOnce(Channel<Message>) -> JoinHandle<()>,
    ) -> Result<u32, Problem> {
        let mut state = self.state();
        if state.open.len() >= MAX_SUBSCRIPTIONS {
            return Err(Problem::new(
                "too_many_subscriptions",
                format!("{MAX_SUBSCRIPTIONS} subscriptions are open already. End one first."),
            ));
        }
        if let Some(path) = state.waiting.take()
            && channel.send(Message::navigate(&path)).is_err()
        {
            state.waiting = Some(path);
        }
        state.last_id = state.last_id.wrapping_add(1);
        let id = state.last_id;
        let pump = pump(channel.clone());
        state.open.insert(id, Subscription { channel, pump });
        Ok(id)
    }

    /// Ends one subscription.
    pub fn end(&self, id: u32) {
        if let Some(subscription) = self.state().open.remove(&id) {
            subscription.pump.abort();
        }
    }

    /// Ends all of them: the page they belong to is gone.
    pub fn end_all(&self) {
        for (_, subscription) in self.state().open.drain() {
            subscription.pump.abort();
        }
    }

    /// Sends the page to `path`; when no page listens yet, the next one that does.
    pub fn navigate(&self, path: &str) {
        let mut state = self.state();
        let told = state
            .open
            .values()
            .filter(|subscription| subscription.channel.send(Message::navigate(path)).is_ok())
            .count();
        if told == 0 {
            state.waiting = Some(path.to_owned());
        }
    }

    /// A panic while the lock was held leaves a whole map behind: every change is one call.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tauri::ipc::InvokeResponseBody;

    use super::*;

    /// A channel and what was sent through it.
    fn channel() -> (Channel<Message>, Arc<Mutex<Vec<Value>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let channel = Channel::new(move |body| {
            if let InvokeResponseBody::Json(text) = body {
                kept.lock()
                    .expect("lock")
                    .push(serde_json::from_str(&text).expect("JSON"));
            }
            Ok(())
        });
        (channel, seen)
    }

    fn idle(_: Channel<Message>) -> JoinHandle<()> {
        tauri::async_runtime::spawn(std::future::pending())
    }

    #[test]
    fn navigation_reaches_the_listening_page() {
        let live = Live::default();
        let (channel, seen) = channel();
        live.begin(channel, idle).expect("begun");
        live.navigate("/machines/VM001");
        let expected =
            json!({"id": null, "event": "navigate", "data": {"path": "/machines/VM001"}});
        assert_eq!(*seen.lock().expect("lock"), [expected]);
    }

    #[test]
    fn navigation_waits_for_a_page_and_is_followed_once() {
        let live = Live::default();
        live.navigate("/machines/VM001");
        let (first, seen_first) = channel();
        let (second, seen_second) = channel();
        live.begin(first, idle).expect("begun");
        live.begin(second, idle).expect("begun");
        assert_eq!(seen_first.lock().expect("lock").len(), 1);
        assert!(seen_second.lock().expect("lock").is_empty());
    }

    #[test]
    fn a_page_that_went_is_told_nothing_more() {
        let live = Live::default();
        let (channel, seen) = channel();
        let id = live.begin(channel.clone(), idle).expect("begun");
        live.end(id);
        live.begin(channel, idle).expect("begun");
        live.end_all();
        live.navigate("/");
        assert!(seen.lock().expect("lock").is_empty());
    }

    #[test]
    fn subscriptions_are_bounded() {
        let live = Live::default();
        for _ in 0..MAX_SUBSCRIPTIONS {
            live.begin(channel().0, idle).expect("begun");
        }
        let problem = live.begin(channel().0, idle).expect_err("bounded");
        assert_eq!(problem.code, "too_many_subscriptions");
    }
}
