//! The shippers of one server, run together on the main thread.

use std::sync::Arc;
use std::time::Duration;

use crate::care::{Care, Keys, Resender};
use crate::clock;
use crate::config::{Config, Wifi};
use crate::heartbeat::Heartbeats;
use crate::pipeline::Progress;
use crate::spool::{Shared, SpoolReader};
use crate::wifi::{Client, Lane, LaneKind, SharedDelivery};

/// The shippers of one server.
pub(super) struct Shipping {
    urgent: Lane,
    bulk: Lane,
    heartbeats: Heartbeats,
    resender: Resender,
    care: Care,
    shared: Arc<Shared>,
}

impl Shipping {
    pub(super) fn new(
        (config, wifi): (&Config, &Wifi),
        (shared, progress): (&Arc<Shared>, &Arc<Progress>),
        delivery: SharedDelivery,
        readers: [SpoolReader; 4],
        (keys, care): (Keys, Care),
    ) -> anyhow::Result<Shipping> {
        let client = Client::with_keys(wifi, keys)?;
        let [urgent, bulk, oldest, again] = readers;
        let machine = || (config.machine_id.clone(), shared.epoch());
        let lane = |kind, reader| {
            Lane::new(
                kind,
                wifi,
                machine(),
                client.clone(),
                delivery.clone(),
                reader,
                clock::now,
            )
        };
        Ok(Shipping {
            urgent: lane(LaneKind::Urgent, urgent),
            bulk: lane(LaneKind::Bulk, bulk),
            heartbeats: Heartbeats {
                machine_id: config.machine_id.clone(),
                interval: Duration::from_secs(config.heartbeat.interval_s),
                state_dir: config.state_dir.clone(),
                spool: shared.clone(),
                reader: oldest,
                delivery: delivery.clone(),
                progress: progress.clone(),
                client: client.clone(),
                care: care.clone(),
                clock: clock::now,
            },
            resender: Resender {
                machine_id: config.machine_id.clone(),
                epoch: shared.epoch(),
                reader: again,
                local: config.local.clone(),
                client,
                resends: care.resends(),
            },
            care,
            shared: shared.clone(),
        })
    }

    /// Ships until the agent's parts are to be started with another configuration.
    pub(super) async fn run(&mut self) {
        let grown = self.shared.subscribe();
        let sending = async {
            tokio::join!(
                self.urgent.run(grown.clone()),
                self.bulk.run(grown),
                self.resender.run()
            );
        };
        tokio::select! {
            () = sending => {}
            () = self.heartbeats.run() => {}
            () = self.care.trial_over() => {}
        }
    }

    /// Sends what is left, once.
    pub(super) async fn send_rest(&mut self) {
        self.urgent.send_rest().await;
        self.bulk.send_rest().await;
    }
}
