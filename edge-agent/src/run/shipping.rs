//! The shippers of one server, run together on the main thread.

use std::sync::Arc;
use std::time::Duration;

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
    shared: Arc<Shared>,
}

impl Shipping {
    pub(super) fn new(
        config: &Config,
        wifi: &Wifi,
        shared: &Arc<Shared>,
        progress: &Arc<Progress>,
        delivery: SharedDelivery,
        readers: [SpoolReader; 3],
    ) -> anyhow::Result<Shipping> {
        let client = Client::new(wifi)?;
        let [urgent, bulk, oldest] = readers;
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
                clock: clock::now,
            },
            shared: shared.clone(),
        })
    }

    /// Ships for ever.
    pub(super) async fn run(&mut self) {
        let grown = self.shared.subscribe();
        tokio::join!(
            self.urgent.run(grown.clone()),
            self.bulk.run(grown),
            self.heartbeats.run()
        );
    }

    /// Sends what is left, once.
    pub(super) async fn send_rest(&mut self) {
        self.urgent.send_rest().await;
        self.bulk.send_rest().await;
    }
}
