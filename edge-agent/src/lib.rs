//! The parts of `vendlog-agent`: from a vending application's log file to a durable spool, and from
//! there to the local file and the server. `run` puts them together; nothing here reads arguments.

pub mod assemble;
pub mod care;
pub mod check;
pub mod clock;
pub mod config;
pub mod drop_command;
pub mod durable;
pub mod eport;
pub mod health;
pub mod heartbeat;
pub mod input;
pub mod local_file;
pub mod own_log;
pub mod pack;
pub mod pair;
pub mod pipeline;
pub mod prepare;
pub mod pulse;
pub mod run;
pub mod service;
pub mod spool;
pub mod spool_command;
pub mod state_dir;
pub mod status;
pub mod wifi;
