//! The central of Vendlog: takes what machines send, keeps it in the store, answers people and the
//! window, tells what happens. One router, reached over HTTPS, by the admin socket and in process.
//! A library for the desktop app and for `vendlog-server`; it knows nothing of windows.

pub mod access;
pub mod admin;
mod agent_toml;
mod alerts;
pub mod api;
pub mod app;
pub mod cli;
mod clock;
pub mod config;
mod drops;
pub mod error;
pub mod events;
mod ingest;
mod observe;
mod open_files;
mod router;
mod running;
mod serve;
mod start;
pub mod status;
mod tls;
mod ui;
mod watch;

pub use config::Config;
pub use router::description;
pub use running::Running;
pub use start::{StartError, open_offline, start};
