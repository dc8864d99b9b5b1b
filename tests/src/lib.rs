//! The harness of the system tests: real processes of the product, started, watched, killed and
//! asked from outside, each test with its own directories and ports.

pub mod agent;
pub mod api;
pub mod benchmarks;
pub mod binaries;
pub mod desk;
pub mod drop_file;
pub mod fixture;
pub mod numbered;
pub mod package;
pub mod process;
pub mod providers;
pub mod proxy;
pub mod reader;
pub mod server;
pub mod services;
pub mod small_disk;
pub mod socket;
pub mod sources;
pub mod usalive;
pub mod wait;

pub use agent::{Agent, AgentSetup};
pub use api::{Answer, Api};
pub use desk::Desk;
pub use drop_file::DropFile;
pub use process::Process;
pub use proxy::{Link, Proxy};
pub use reader::Reader;
pub use server::Server;
pub use small_disk::SmallDisk;
pub use usalive::Usalive;
