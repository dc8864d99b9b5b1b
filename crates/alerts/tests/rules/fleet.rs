//! A fleet to try rules on: machines that are heard, entries that come, a clock that is stepped. What
//! the engine hands out is kept as a store would keep it.

use std::collections::BTreeMap;

use alerts::config::condition::Way;
use alerts::config::people::{Address, Person};
use alerts::{
    Alert, AlertConfig, Away, Engine, EntryFacts, History, MachineNow, Memory, Outgoing, Place,
    RuleState, WayNow,
};
use serde_json::{Map, Value};
use wire::time::{HOUR_US, MINUTE_US, SECOND_US};
use wire::{Level, MachineId, Micros};

/// Friday, 2026-11-20, noon in UTC.
pub const NOON: Micros = Micros(1_795_176_000_000_000);
/// How often the engine is ticked.
const STEP_US: i64 = 15 * SECOND_US;

pub fn after(minutes: i64) -> Micros {
    NOON.plus_us(minutes * MINUTE_US)
}

pub fn at(text: &str) -> Micros {
    Micros::parse_rfc3339(text).unwrap()
}

pub fn id(n: usize) -> MachineId {
    format!("VM{n:03}").parse().unwrap()
}

/// The ready rules, with somebody in operations and an owner.
pub fn ready_rules() -> AlertConfig {
    let mut config = alerts::config::defaults::config();
    config.people = vec![
        person(
            "ops",
            &[
                ("sms", "+15550100"),
                ("email", "ops@example.com"),
                ("voice", "+15550100"),
            ],
        ),
        person("owner", &[("email", "owner@example.com")]),
    ];
    config.groups[0].people = vec!["ops".into()];
    config
}

pub fn person(id: &str, addresses: &[(&str, &str)]) -> Person {
    let addresses = addresses.iter().map(|(channel, to)| Address {
        channel: (*channel).into(),
        to: (*to).into(),
    });
    Person {
        id: id.into(),
        name: id.into(),
        addresses: addresses.collect(),
        quiet: None,
        timezone: String::new(),
    }
}

/// An entry to come.
#[derive(Debug, Clone)]
pub struct Line {
    pub machine: usize,
    pub level: Level,
    pub component: &'static str,
    pub message: String,
    pub context: Value,
    pub event: Micros,
}

impl Line {
    pub fn new(machine: usize, level: Level, component: &'static str, event: Micros) -> Line {
        Line {
            machine,
            level,
            component,
            message: "Authorization timeout after 30s".into(),
            context: Value::Object(Map::new()),
            event,
        }
    }

    pub fn saying(self, message: &str) -> Line {
        Line {
            message: message.into(),
            ..self
        }
    }

    pub fn with(self, context: Value) -> Line {
        Line { context, ..self }
    }
}

pub struct Fleet {
    pub engine: Engine,
    pub machines: Vec<MachineNow>,
    /// Machines that are not heard by themselves.
    pub silent: Vec<usize>,
    pub now: Micros,
    pub told: Vec<Outgoing>,
    pub history: Vec<History>,
    pub away: Vec<Away>,
    pub alerts: BTreeMap<u64, Alert>,
    states: BTreeMap<Place, RuleState>,
    memory: Memory,
}

impl Fleet {
    /// So many machines on WiFi, heard at noon.
    pub fn new(config: AlertConfig, machines: usize) -> Fleet {
        let mut fleet = Fleet {
            engine: Engine::new(config, NOON),
            machines: (1..=machines).map(on_wifi).collect(),
            silent: Vec::new(),
            now: NOON,
            told: Vec::new(),
            history: Vec::new(),
            away: Vec::new(),
            alerts: BTreeMap::new(),
            states: BTreeMap::new(),
            memory: Memory::default(),
        };
        fleet.step();
        fleet
    }

    /// Ticks until this time; machines that are not silent are heard every five minutes.
    pub fn run_to(&mut self, until: Micros) {
        while self.now < until {
            self.now = self.now.plus_us(STEP_US).min(until);
            self.step();
        }
    }

    /// Nobody watches until then.
    pub fn sleep_to(&mut self, until: Micros) {
        self.now = until;
        self.step();
    }

    fn step(&mut self) {
        for n in 0..self.machines.len() {
            let silent = self.silent.contains(&(n + 1));
            for way in &mut self.machines[n].ways {
                let every_us = if way.way == Way::Cell {
                    HOUR_US
                } else {
                    5 * MINUTE_US
                };
                if !silent && self.now.since_us(way.last) >= every_us {
                    way.last = self.now;
                }
            }
        }
        self.engine.tick(self.machines.clone(), self.now);
        self.keep();
    }

    pub fn hear(&mut self, machine: usize) {
        for way in &mut self.machines[machine - 1].ways {
            way.last = self.now;
        }
    }

    /// An entry arrives now.
    pub fn entry(&mut self, line: &Line) {
        let machine = id(line.machine);
        let Value::Object(context) = &line.context else {
            panic!("a context is an object")
        };
        let facts = EntryFacts {
            machine: &machine,
            id: &|| "entry".to_owned(),
            level: line.level,
            component: line.component,
            message: &line.message,
            template: &line.message,
            context,
            event: line.event,
            arrival: self.now,
            by_cell: false,
        };
        self.engine.entry(&facts, self.now);
        self.keep();
    }

    pub fn entries(&mut self, lines: &[Line]) {
        for line in lines {
            self.entry(line);
        }
    }

    pub fn configure(&mut self, config: AlertConfig) {
        self.engine.configure(config, self.now);
        self.keep();
    }

    pub fn act(&mut self, alert: u64, act: alerts::Act) {
        self.engine
            .act(alert, &act, "Ann", "on my way", self.now)
            .unwrap();
        self.keep();
    }

    /// The process is killed and starts again with what was kept.
    pub fn restart(&mut self) {
        let config = self.engine.config().clone();
        let states = self.states.clone().into_iter().collect();
        let unfinished = |alert: &&Alert| alert.is_open() || !alert.planned.is_empty();
        let alerts = self.alerts.values().filter(unfinished).cloned().collect();
        self.engine = Engine::restore(config, states, alerts, self.memory.clone(), self.now);
        self.keep();
    }

    fn keep(&mut self) {
        let changes = self.engine.take_changes();
        for (place, state) in changes.states {
            match state {
                Some(state) => {
                    // As it comes back from a row.
                    let json = serde_json::to_string(&state).unwrap();
                    self.states
                        .insert(place, serde_json::from_str(&json).unwrap());
                }
                None => {
                    self.states.remove(&place);
                }
            }
        }
        for alert in changes.alerts {
            let json = serde_json::to_string(&alert).unwrap();
            self.alerts
                .insert(alert.id, serde_json::from_str(&json).unwrap());
        }
        for id in changes.removed {
            self.alerts.remove(&id);
        }
        self.history.extend(changes.history);
        self.told.extend(changes.outgoing);
        self.away.extend(changes.away);
        if let Some(memory) = changes.memory {
            self.memory = memory;
        }
    }

    /// Messages since this was last called, as `issue machine channel why`.
    pub fn messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told).iter().map(words).collect()
    }

    /// The one open alert of a rule.
    pub fn open(&self, rule: &str) -> Option<&Alert> {
        self.engine.open().find(|alert| alert.rule == rule)
    }
}

fn words(message: &Outgoing) -> String {
    let machines: Vec<&str> = message.machines.iter().map(|m| m.as_str()).collect();
    let why = serde_json::to_string(&message.subject)
        .unwrap()
        .replace('"', "");
    let why: String = why.chars().filter(|c| !"{}".contains(*c)).collect();
    format!(
        "{} {} {} {why}",
        message.issue,
        machines.join("+"),
        message.channel
    )
}

fn on_wifi(n: usize) -> MachineNow {
    let way = WayNow {
        way: Way::Wifi,
        last: NOON,
        late_us: 10 * MINUTE_US,
        lost_us: 30 * MINUTE_US,
    };
    MachineNow {
        owner: "owner".into(),
        ways: vec![way],
        ..MachineNow::new(id(n))
    }
}
