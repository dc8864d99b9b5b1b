//! A background duty: machines whose status changes by time alone (silence) are told on the live stream,
//! and rules of alerts are judged by the time that it is.

use std::collections::HashMap;
use std::time::Duration;

use store::SlowFacts;
use wire::time::{MINUTE_US, SECOND_US};
use wire::{MachineId, Micros};

use crate::alerts::machines_now::machines_now;
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;
use crate::events::Event;
use crate::status::{Color, State, judge};

/// How often the fleet is judged: well below the shortest limit of minutes.
const STEP_EVERY: Duration = Duration::from_secs(5);
/// How often numbers that never came and data plans are counted: they take a query a machine.
const SLOW_EVERY_US: i64 = MINUTE_US;
/// A step that comes this much later than the one before means that the computer slept.
const SLEPT_US: i64 = 60 * SECOND_US;

/// What was thought of each machine at the step before.
#[derive(Default)]
pub struct Watch {
    seen: HashMap<MachineId, (Color, State)>,
    last_step: Option<Micros>,
    slow: HashMap<MachineId, SlowFacts>,
    slow_at: Option<Micros>,
}

impl Watch {
    /// Judges the fleet and tells which machines changed, then the rules of alerts; answers how many
    /// machines changed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn one_step(&mut self, app: &Shared, now: Micros) -> Result<usize, ApiError> {
        if self
            .last_step
            .is_some_and(|last| now.since_us(last) > SLEPT_US)
        {
            app.judge.woke(now);
        }
        self.last_step = Some(now);
        let fleet = app.with_store(move |store| store.fleet_facts(now)).await?;
        let mut seen = HashMap::with_capacity(fleet.len());
        let mut changed = 0;
        for facts in &fleet {
            let verdict = judge(facts, &app.judge.limits, app.judge.listening_since(), now);
            let id = facts.machine.id.clone();
            let thought = (verdict.color, verdict.state);
            if self.seen.get(&id).is_some_and(|before| *before != thought) {
                app.events.publish(Event::Machine(id.clone()));
                changed += 1;
            }
            seen.insert(id, thought);
        }
        self.seen = seen;
        self.look_slowly(app, now).await?;
        let machines = machines_now(&fleet, &self.slow, &app.judge.limits, now);
        app.with_store(move |store| store.alerts().tick(machines, now))
            .await?;
        Ok(changed)
    }

    async fn look_slowly(&mut self, app: &Shared, now: Micros) -> Result<(), ApiError> {
        let is_fresh = |at: Micros| (0..SLOW_EVERY_US).contains(&now.since_us(at));
        if !self.slow_at.is_some_and(is_fresh) {
            self.slow = app
                .with_store(move |store| store.alerts().slow_facts(now))
                .await?;
            self.slow_at = Some(now);
        }
        Ok(())
    }
}

/// Steps for ever; ended by aborting its task.
pub async fn run(app: Shared) {
    let mut watch = Watch::default();
    let mut failing = false;
    loop {
        match watch.one_step(&app, clock::now()).await {
            Ok(_) => failing = false,
            // Said once: a store that fails fails every five seconds.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = error.message(), "the fleet was not judged");
            }
            Err(_) => {}
        }
        tokio::time::sleep(STEP_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::{Credential, Holder, Machine, Store, WrappingKey};
    use wire::Heartbeat;

    use super::*;
    use crate::access::signin::SigninLinks;
    use crate::app::{App, ServerInfo};
    use crate::events::{Events, Subscription};
    use crate::ingest::body::Room;
    use crate::status::{Judge, StatusLimits};

    const START: Micros = Micros(1_800_000_000_000_000);

    fn at(minutes: i64) -> Micros {
        START.plus_us(minutes * MINUTE_US)
    }

    /// An app that started at `START` with a machine that was heard ten minutes later.
    fn app(dir: &tempfile::TempDir) -> Shared {
        let data = dir.path().join("data");
        let key = WrappingKey::load_or_create(&dir.path().join("key"), &data).unwrap();
        let store = Store::open(&data, &key, START).unwrap();
        let id: MachineId = "VM001".parse().unwrap();
        let machine = Machine {
            id: id.clone(),
            name: String::new(),
            location: String::new(),
            timezone: String::new(),
            site: String::new(),
            route: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: Vec::new(),
            created_at: START,
        };
        let credential = Credential {
            key_id: "k".into(),
            sha256: [0; 32],
            holder: Holder::Machine(id.clone()),
            created_at: START,
            expires_at: None,
            state: store::KeyState::InUse,
        };
        store.add_machine(&machine, &credential).unwrap();
        store.record_heartbeat(&Heartbeat::new(id), at(10)).unwrap();
        Arc::new(App {
            room: Arc::new(Room::default()),
            store,
            events: Events::new("b".into()),
            signin: SigninLinks::default(),
            pairing_tries: Default::default(),
            basic_tries: Default::default(),
            sources: Default::default(),
            dictionaries: Default::default(),
            training: Default::default(),
            alerting: Default::default(),
            delivery: Default::default(),
            judge: Judge::new(StatusLimits::default(), START),
            server: ServerInfo::default(),
        })
    }

    async fn next_is_machine(events: &mut Subscription) -> bool {
        events.next().await.unwrap().event == "machine"
    }

    /// Steps each minute up to this one, as the loop would.
    async fn step_to(watch: &mut Watch, app: &Shared, minute: i64, from: i64) -> Vec<i64> {
        let mut changed = Vec::new();
        for now in from..=minute {
            if watch.one_step(app, at(now)).await.unwrap() > 0 {
                changed.push(now);
            }
        }
        changed
    }

    #[tokio::test]
    async fn silence_is_told_when_it_passes_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(&dir);
        let mut events = app.events.subscribe(None);
        events.next().await;
        let mut watch = Watch::default();
        // Heard at minute 10: yellow beyond 20, red beyond 40.
        assert_eq!(step_to(&mut watch, &app, 60, 10).await, [21, 41]);
        assert!(next_is_machine(&mut events).await);
    }

    #[tokio::test]
    async fn after_the_computer_slept_silence_is_not_judged_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(&dir);
        let mut watch = Watch::default();
        step_to(&mut watch, &app, 12, 10).await;
        watch.one_step(&app, at(500)).await.unwrap();
        assert_eq!(app.judge.listening_since(), at(500));
        // It waits (yellow) at once and is lost (red) when the grace is over.
        assert_eq!(step_to(&mut watch, &app, 520, 501).await, [510]);
    }
}
