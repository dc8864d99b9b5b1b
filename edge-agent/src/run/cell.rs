//! The cellular path's part on the main thread: what it is made of, and how it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use wire::CellHealth;
use wire::time::SECOND_US;

use super::shipping::Shipping;
use crate::clock::Repairs;
use crate::config::{Config, Eport};
use crate::eport::{Dictionaries, EportState, Outbox, SharedHealth, Shipper, ShipperParts};
use crate::own_log::OwnLog;
use crate::pipeline::{Progress, Wake};
use crate::spool::{Shared, SpoolReader};
use crate::state_dir::{StateDir, names};

/// What others need of the cellular path before it is there.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) dictionaries: Rc<Dictionaries>,
    pub(super) health: SharedHealth,
    pub(super) outbox: Arc<Outbox>,
}

impl Cell {
    pub(super) fn new(eport: &Eport, state_dir: &StateDir) -> Cell {
        let file = eport.dictionary_file.as_deref();
        let dictionaries = Dictionaries::open(file, &state_dir.join(names::DICTIONARY));
        let health = CellHealth {
            state: "active".to_owned(),
            ..CellHealth::default()
        };
        Cell {
            dictionaries: Rc::new(dictionaries),
            health: Rc::new(RefCell::new(health)),
            outbox: Arc::new(Outbox::new()),
        }
    }

    /// The shipper that goes on with what was kept.
    pub(super) fn shipper(
        self,
        (config, eport): (&Config, &Eport),
        state_dir: &StateDir,
        (state, readers): (EportState, [SpoolReader; 2]),
        (shared, progress, wakes): (&Arc<Shared>, &Arc<Progress>, &Sender<Wake>),
        (repairs, own): (Arc<Repairs>, OwnLog),
        shipping: Option<&Shipping>,
    ) -> Shipper {
        let wifi = config.wifi.as_ref().zip(shipping);
        let wait_s = i64::try_from(config.clock.wait_s).unwrap_or(0);
        let parts = ShipperParts {
            machine_id: config.machine_id.clone(),
            config: eport.clone(),
            path: state_dir.join(names::EPORT),
            state,
            dictionaries: self.dictionaries,
            outbox: self.outbox,
            wifi: wifi.map(|(wifi, shipping)| shipping.sight(wifi)),
            clock_wait_us: wait_s * SECOND_US,
            repairs,
            shared: shared.clone(),
            progress: progress.clone(),
            wakes: wakes.clone(),
            own,
            health: self.health,
        };
        Shipper::new(parts, readers)
    }
}

/// The shippers on the main thread.
pub(super) struct Shippers {
    pub(super) wifi: Option<Shipping>,
    pub(super) cell: Option<Shipper>,
}

impl Shippers {
    /// Ships until the agent's parts are to be started with another configuration; without shippers
    /// for ever.
    pub(super) async fn run(&mut self) {
        let wifi = async {
            match &mut self.wifi {
                Some(wifi) => wifi.run().await,
                None => std::future::pending().await,
            }
        };
        let cell = async {
            match &mut self.cell {
                Some(cell) => cell.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wifi => {}
            () = cell => {}
        }
    }

    /// Sends once more what goes by WiFi.
    pub(super) async fn send_rest(&mut self) {
        if let Some(wifi) = &mut self.wifi {
            wifi.send_rest().await;
        }
    }

    /// What was said last of a drop is kept.
    pub(super) fn finish(&mut self) {
        if let Some(cell) = &mut self.cell {
            cell.finish();
        }
    }
}
