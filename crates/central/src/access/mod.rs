//! Who may call: keys of machines, tokens of scripts, sessions of browsers, and the trusted callers
//! in process. `guard` decides who it is, `router` says per group of routes who may.

pub mod basic;
pub mod caller;
pub mod guard;
pub mod keys;
pub mod sessions;
pub mod signin;
pub mod tries;

pub use caller::{Caller, Role};
