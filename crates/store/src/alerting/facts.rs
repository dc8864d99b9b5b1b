//! What is asked about alerts and machines beside the alerts themselves.

use std::collections::HashMap;

use alerts::{Alert, AlertKind};
use wire::{MachineId, Micros};

use crate::alerting::Alerts;
use crate::catalog::alerts::facts::{self, SlowFacts};
use crate::catalog::alerts::{deliveries, rows};
use crate::catalog::machines;
use crate::error::StoreError;

impl Alerts {
    /// What rules judge machines by that is too dear to be read every few seconds.
    ///
    /// # Errors
    /// The store failed.
    pub fn slow_facts(&self, now: Micros) -> Result<HashMap<MachineId, SlowFacts>, StoreError> {
        self.0.catalog(|catalog| {
            let registry = machines::registry(catalog)?;
            let by_number = facts::read(catalog, now)?;
            let named = by_number
                .into_iter()
                .filter_map(|(no, facts)| Some((registry.id(no)?.clone(), facts)));
            Ok(named.collect())
        })
    }

    /// When the first message of each of these alerts went out, where one did.
    ///
    /// # Errors
    /// The store failed.
    pub fn first_sent(&self, ids: &[u64]) -> Result<HashMap<u64, Micros>, StoreError> {
        self.0.catalog(|catalog| {
            let mut found = HashMap::new();
            for &id in ids {
                if let Some(at) = deliveries::first_sent(catalog, id)? {
                    found.insert(id, at);
                }
            }
            Ok(found)
        })
    }

    /// The alerts that a group or a path alert speaks for, the oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn members(&self, of: &Alert) -> Result<Vec<Alert>, StoreError> {
        if of.kind == AlertKind::Machine {
            return Ok(Vec::new());
        }
        let group = of.id as i64;
        self.0.catalog(|catalog| {
            let condition = "WHERE json_extract(alert, '$.group') = ?1 ORDER BY id";
            rows::find(catalog, condition, &[&group])
        })
    }
}
