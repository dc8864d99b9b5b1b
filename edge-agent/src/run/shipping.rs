//! The shippers of one server, run together on the main thread.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use wire::Reachability;

use crate::care::{Care, Keys, Resender};
use crate::clock::{self, Repairs};
use crate::config::{Config, Wifi};
use crate::eport::{SharedHealth, WifiSight};
use crate::heartbeat::Heartbeats;
use crate::pipeline::Progress;
use crate::spool::{Shared, SpoolReader};
use crate::wifi::{Client, Lane, LaneKind, LaneParts, Link, NO_ROUTE, Sending, SharedDelivery};

/// The shippers of one server.
pub(super) struct Shipping {
    urgent: Lane,
    bulk: Lane,
    heartbeats: Heartbeats,
    resender: Resender,
    care: Care,
    link: Rc<Link>,
    delivery: SharedDelivery,
    shared: Arc<Shared>,
}

impl Shipping {
    pub(super) fn new(
        (config, wifi): (&Config, &Wifi),
        (shared, progress): (&Arc<Shared>, &Arc<Progress>),
        delivery: SharedDelivery,
        repairs: Arc<Repairs>,
        readers: [SpoolReader; 4],
        (keys, care, cell): (Keys, Care, Option<SharedHealth>),
    ) -> anyhow::Result<Shipping> {
        let link = Rc::new(Link::new(Client::with_keys(wifi, keys)?, clock::now));
        let [urgent, bulk, oldest, again] = readers;
        let parts = LaneParts {
            machine_id: config.machine_id.clone(),
            epoch: shared.epoch(),
            link: link.clone(),
            delivery: delivery.clone(),
            repairs: repairs.clone(),
            clock_wait: Duration::from_secs(config.clock.wait_s),
            clock: clock::now,
        };
        Ok(Shipping {
            urgent: Lane::new(LaneKind::Urgent, wifi, parts.clone(), urgent),
            bulk: Lane::new(LaneKind::Bulk, wifi, parts, bulk),
            heartbeats: Heartbeats {
                machine_id: config.machine_id.clone(),
                interval: Duration::from_secs(config.heartbeat.interval_s),
                state_dir: config.state_dir.clone(),
                spool: shared.clone(),
                reader: oldest,
                delivery: delivery.clone(),
                progress: progress.clone(),
                link: link.clone(),
                care: care.clone(),
                repairs: repairs.clone(),
                cell,
                clock_offset_us: None,
                clock: clock::now,
            },
            resender: Resender {
                machine_id: config.machine_id.clone(),
                epoch: shared.epoch(),
                reader: again,
                local: config.local.clone(),
                link: link.clone(),
                repairs,
                resends: care.resends(),
            },
            care,
            link,
            delivery,
            shared: shared.clone(),
        })
    }

    /// What the cellular path is to see of this one.
    pub(super) fn sight(&self, wifi: &Wifi) -> WifiSight {
        let (link, delivery) = (self.link.clone(), self.delivery.clone());
        WifiSight::new(wifi, link, delivery, clock::since_boot_us())
    }

    /// Ships until the agent's parts are to be started with another configuration.
    pub(super) async fn run(&mut self) {
        let grown = self.shared.subscribe();
        let sending = async {
            tokio::join!(
                self.urgent.run(grown.clone()),
                self.bulk.run(grown),
                self.resender.run(),
                self.link.watch_routes(),
                note_lost_routes(&self.link, &self.delivery)
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

/// Nothing is tried without a route, so that nothing else would tell of it.
async fn note_lost_routes(link: &Link, delivery: &SharedDelivery) {
    let mut reach = link.subscribe();
    loop {
        let now = reach.borrow_and_update().clone();
        if now.state == Reachability::NoRoute {
            let mut delivery = delivery.borrow_mut();
            delivery.reached(now.state, now.since);
            delivery.failed(Sending::Heartbeat, NO_ROUTE, now.since);
        }
        if reach.changed().await.is_err() {
            return;
        }
    }
}
