//! When an alert begins, who is told of it and when, and how it ends. Pure: entries, facts about machines
//! and the time go in; states, alerts and messages come out as rows. The caller keeps them in one
//! transaction with what caused them, and delivers messages after it.
//!
//! [`evaluate`] judges one rule for one machine; [`Engine`] holds what is remembered of all of them.

pub mod config;
pub mod engine;
pub mod evaluate;
pub mod input;
pub mod life;
pub mod tell;
pub mod trial;

pub use config::{AlertConfig, Maintenance};
pub use engine::{Away, Changes, Engine, Memory, Place};
pub use evaluate::{Finding, Input, Listening, Ready, RuleState, evaluate};
pub use input::{DataNow, EntryFacts, MachineNow, WayNow};
pub use life::{Act, ActError, Alert, AlertKind, History, Phase};
pub use tell::{Item, Outgoing, Subject};
