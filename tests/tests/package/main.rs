//! The agent's Debian packages: what is in them, installing and removing them for real, and their
//! agents at work, the Pi's under an emulated processor.

mod arm64;
mod contents;
mod install;
mod notify;
mod unit;
