//! A query with its names turned into numbers and its text into terms.

use wire::{Level, Micros};

use crate::catalog::rollups::{self, FLEET};
use crate::error::StoreError;
use crate::query::scan::Source;
use crate::query::text::{self, Term};
use crate::query::{EntryQuery, Order};
use crate::readers::{DayReader, Readers};
use crate::shared::{MachineNo, Shared};

/// Up to so many machines their own indexes of WARN and above are read, beyond it the common one.
const FEW_MACHINES: usize = 8;

/// A query whose names are numbers.
pub(crate) struct Search {
    /// `None`: all.
    pub(crate) machines: Option<Vec<MachineNo>>,
    pub(crate) min_level: Level,
    pub(crate) components: Vec<String>,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) terms: Vec<Term>,
}

impl Search {
    pub(crate) fn new(shared: &Shared, query: &EntryQuery) -> Search {
        let registry = shared.registry();
        let mut machines: Vec<MachineNo> = query
            .machines
            .iter()
            .filter_map(|id| registry.number(id))
            .collect();
        machines.sort_unstable();
        machines.dedup();
        Search {
            machines: (!query.machines.is_empty()).then_some(machines),
            min_level: query.min_level.unwrap_or(Level::Debug),
            components: query.components.clone(),
            from: query.from.unwrap_or(Micros(i64::MIN)),
            to: query.to.unwrap_or(Micros(i64::MAX)),
            terms: text::parse(&query.q),
        }
    }

    /// A search for everything of one machine.
    pub(crate) fn of_machine(machine: MachineNo) -> Search {
        Search {
            machines: Some(vec![machine]),
            min_level: Level::Debug,
            components: Vec::new(),
            from: Micros(i64::MIN),
            to: Micros(i64::MAX),
            terms: Vec::new(),
        }
    }

    /// The same search within these instants.
    pub(crate) fn within(mut self, from: Micros, to: Micros) -> Search {
        self.from = self.from.max(from);
        self.to = self.to.min(to);
        self
    }

    /// The next hour (this one included) in which the rollups count an entry that may match.
    pub(crate) fn next_hour(
        &self,
        readers: &Readers,
        hour: i64,
        order: Order,
    ) -> Result<Option<i64>, StoreError> {
        let few = self
            .machines
            .as_ref()
            .filter(|machines| machines.len() <= FEW_MACHINES);
        let machines = few.cloned().unwrap_or_else(|| vec![FLEET]);
        readers.catalog(|catalog| {
            let mut components = Vec::new();
            for name in &self.components {
                components.extend(rollups::find_component(catalog, name)?);
            }
            let mut hours = Vec::new();
            let forward = order == Order::Asc;
            for &machine in &machines {
                if self.components.is_empty() {
                    let whose = (None, machine);
                    let near = rollups::next_hour(catalog, whose, hour, self.min_level, forward)?;
                    hours.extend(near);
                }
                for &component in &components {
                    let whose = (Some(component), machine);
                    let near = rollups::next_hour(catalog, whose, hour, self.min_level, forward)?;
                    hours.extend(near);
                }
            }
            Ok(match order {
                Order::Desc => hours.into_iter().max(),
                Order::Asc => hours.into_iter().min(),
            })
        })
    }

    /// Where the rows of a day are read from.
    pub(crate) fn sources(&self, day: &DayReader<'_>) -> Vec<Source> {
        let present = day.sentences.machines();
        let machines: Vec<MachineNo> = match &self.machines {
            Some(wanted) => wanted
                .iter()
                .copied()
                .filter(|no| present.contains(no))
                .collect(),
            None => present.to_vec(),
        };
        let all = machines.len() == present.len();
        if all && self.min_level >= Level::Warn && machines.len() > FEW_MACHINES {
            return vec![Source::Grave];
        }
        machines.into_iter().map(Source::Machine).collect()
    }
}
