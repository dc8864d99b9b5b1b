//! The one background duty: machines whose status changes by time alone (silence) are told on the
//! live stream.

use std::collections::HashMap;
use std::time::Duration;

use wire::time::SECOND_US;
use wire::{MachineId, Micros};

use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;
use crate::events::Event;
use crate::status::{Color, State, judge};

/// How often the fleet is judged: well below the shortest limit of minutes.
const STEP_EVERY: Duration = Duration::from_secs(5);
/// A step that comes this much later than the one before means that the computer slept.
const SLEPT_US: i64 = 60 * SECOND_US;

/// What was thought of each machine at the step before.
#[derive(Default)]
pub struct Watch {
    seen: HashMap<MachineId, (Color, State)>,
    last_step: Option<Micros>,
}

impl Watch {
    /// Judges the fleet and tells which machines changed; answers how many did.
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
        for facts in fleet {
            let verdict = judge(&facts, &app.judge.limits, app.judge.listening_since(), now);
            let id = facts.machine.id;
            let thought = (verdict.color, verdict.state);
            if self.seen.get(&id).is_some_and(|before| *before != thought) {
                app.events.publish(Event::Machine(id.clone()));
                changed += 1;
            }
            seen.insert(id, thought);
        }
        self.seen = seen;
        Ok(changed)
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
