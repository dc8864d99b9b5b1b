//! The way to the server, shared by everything that sends: whether there is one, what answers on
//! it, how much it carries at once, and what the server asked for. It sends; it decides nothing
//! about entries.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::watch;
use wire::{BatchAnswer, Heartbeat, HeartbeatAnswer, Micros, Reachability};

use super::backoff::ASKED_LONGEST;
use super::client::{Client, Failure};
use super::pace::Pace;
use super::route::{Changes, Target};
use crate::clock::{self, timer};

/// Routes are looked at this often even when the kernel tells of no change.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After a change of routes nothing is tried at once again before this time: links that come and
/// go every moment must not become a flood of connections.
const WAKE_APART_US: i64 = 2_000_000;

/// What is said while there is no route.
pub const NO_ROUTE: &str = "the machine has no route to the server; waiting for one";

/// How the way to the server looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// What is known of it.
    pub state: Reachability,
    /// Since when.
    pub since: Micros,
    /// The same, since boot.
    pub since_boot_us: i64,
}

/// The way to one server.
#[derive(Debug)]
pub struct Link {
    client: Client,
    target: Option<Target>,
    reach: watch::Sender<Reach>,
    pace: RefCell<Pace>,
    /// Nothing is sent before this moment since boot: the server said so.
    asked_us: Cell<i64>,
    /// Counted up when there may be a new way to the server.
    routes: watch::Sender<u64>,
    /// When a route came up that had been missed, since boot.
    came_up_us: Cell<Option<i64>>,
    clock: fn() -> Micros,
}

impl Link {
    /// The way that `client` takes; not looked at yet.
    pub fn new(client: Client, clock: fn() -> Micros) -> Link {
        let reach = Reach {
            state: Reachability::NoAnswer,
            since: clock(),
            since_boot_us: clock::since_boot_us(),
        };
        Link {
            target: client.target(),
            client,
            reach: watch::Sender::new(reach),
            pace: RefCell::default(),
            asked_us: Cell::new(0),
            routes: watch::Sender::new(0),
            came_up_us: Cell::new(None),
            clock,
        }
    }

    /// The connection itself.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How the way looks now.
    pub fn reach(&self) -> Reach {
        self.reach.borrow().clone()
    }

    /// For who wants to know when that changes, such as a second way.
    pub fn subscribe(&self) -> watch::Receiver<Reach> {
        self.reach.subscribe()
    }

    /// When a route came up that was missing while the agent ran, since boot.
    pub fn came_up_us(&self) -> Option<i64> {
        self.came_up_us.get()
    }

    /// Bytes that the next batch should have.
    pub fn batch_bytes(&self) -> usize {
        self.pace.borrow().bytes()
    }

    /// Follows the machine's routes for ever.
    pub async fn watch_routes(&self) {
        let changes = Changes::listen();
        let mut woken_us = i64::MIN / 2;
        let mut is_changed = false;
        loop {
            let has_route = self.has_route().await;
            let was_cut = self.reach.borrow().state == Reachability::NoRoute;
            let now_us = clock::since_boot_us();
            if !has_route {
                self.is_now(Reachability::NoRoute);
            } else if was_cut {
                self.came_up_us.set(Some(now_us));
                self.is_now(Reachability::NoAnswer);
            }
            let is_tried = matches!(
                self.reach.borrow().state,
                Reachability::Reachable | Reachability::Refused
            );
            let is_worth_a_try = was_cut || (is_changed && !is_tried);
            if has_route && is_worth_a_try && now_us - woken_us >= WAKE_APART_US {
                woken_us = now_us;
                self.routes.send_modify(|count| *count += 1);
            }
            is_changed = changes.next(LOOK_EVERY).await;
        }
    }

    async fn has_route(&self) -> bool {
        match &self.target {
            Some(target) => target.has_route().await,
            // A URL without a host is refused with the configuration.
            None => true,
        }
    }

    /// Waits until there is a route, and until the server wants to be asked again.
    pub async fn ready(&self) {
        // By the state, not by the word of a new way: that is held back while links flap, and
        // whoever waited for it would wait until they change again.
        let mut reach = self.reach.subscribe();
        // It fails only when the link has gone, which is borrowed here.
        let _ = reach
            .wait_for(|reach| reach.state != Reachability::NoRoute)
            .await;
        timer::sleep_until_us(self.asked_us.get()).await;
    }

    /// Waits so long, or until there may be a new way to the server; answers whether that is so.
    pub async fn pause(&self, wait: Duration) -> bool {
        let mut routes = self.routes.subscribe();
        tokio::select! {
            () = timer::sleep(wait) => false,
            changed = routes.changed() => changed.is_ok(),
        }
    }

    /// Sends a batch.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn logs(&self, json: &[u8]) -> Result<BatchAnswer, Failure> {
        let began_us = clock::since_boot_us();
        let answer = self.client.logs(json).await;
        let took_us = u64::try_from(clock::since_boot_us() - began_us).unwrap_or(0);
        {
            let mut pace = self.pace.borrow_mut();
            match &answer {
                Ok(_) => pace.answered(json.len(), Duration::from_micros(took_us)),
                Err(failure) if failure.is_too_large() => pace.too_large(json.len()),
                Err(Failure::Retry { stuck: true, .. }) => pace.stuck(json.len()),
                Err(_) => {}
            }
        }
        self.seen(answer).await
    }

    /// Sends a sign of life; answers what the server said, and when the request left and the
    /// answer came, in microseconds since boot.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn heartbeat(
        &self,
        heartbeat: &Heartbeat,
    ) -> Result<(HeartbeatAnswer, i64, i64), Failure> {
        let sent_us = clock::since_boot_us();
        let answer = self.client.heartbeat(heartbeat).await;
        let answered_us = clock::since_boot_us();
        let answer = self.seen(answer).await?;
        Ok((answer, sent_us, answered_us))
    }

    /// Learns from what came of a request.
    async fn seen<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::Retry {
            after: Some(after), ..
        }) = &answer
        {
            let after_us = i64::try_from((*after).min(ASKED_LONGEST).as_micros()).unwrap_or(0);
            let until_us = clock::since_boot_us() + after_us;
            self.asked_us.set(self.asked_us.get().max(until_us));
        }
        let state = match &answer {
            Ok(_) => Reachability::Reachable,
            Err(Failure::Hold {
                by_server: true, ..
            }) => Reachability::Refused,
            // No key, so nothing was sent.
            Err(Failure::Hold { .. }) => return answer,
            Err(failure) if failure.is_by_server() => Reachability::Reachable,
            Err(_) if self.has_route().await => Reachability::NoAnswer,
            Err(_) => Reachability::NoRoute,
        };
        self.is_now(state);
        match (answer, state) {
            (Err(Failure::Retry { after, .. }), Reachability::NoRoute) => Err(Failure::Retry {
                why: NO_ROUTE.to_owned(),
                after,
                by_server: false,
                stuck: false,
            }),
            (answer, _) => answer,
        }
    }

    fn is_now(&self, state: Reachability) {
        let (since, since_boot_us) = ((self.clock)(), clock::since_boot_us());
        self.reach.send_if_modified(|reach| {
            let is_new = reach.state != state;
            if is_new {
                *reach = Reach {
                    state,
                    since,
                    since_boot_us,
                };
            }
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mode, Wifi, WifiTrust};

    #[tokio::test]
    async fn a_route_that_is_back_is_used_also_when_it_came_too_soon_to_be_told_of() {
        let config = Wifi {
            url: "https://127.0.0.1:4433".to_owned(),
            api_key_file: "/no/such/key".into(),
            trust: WifiTrust {
                pins: vec![[7; 32]],
                ca_file: None,
            },
            proxy: None,
            mode: Mode::Continuous,
            levels: [true; 5],
            immediate: [false; 5],
        };
        let link = Link::new(Client::new(&config).unwrap(), clock::now);
        link.is_now(Reachability::NoRoute);
        let flap = async {
            tokio::task::yield_now().await;
            // What `watch_routes` does within `WAKE_APART_US` of the last route.
            link.is_now(Reachability::NoAnswer);
        };
        let ready = tokio::time::timeout(Duration::from_secs(5), link.ready());
        let (ready, ()) = tokio::join!(ready, flap);
        assert!(ready.is_ok(), "there is a route, and nothing is sent");
    }
}
