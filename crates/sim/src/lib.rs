//! What the simulator is made of: a vending application that writes its log, a fleet that posts to a
//! server, and a USALive that forwards uploads. The generators are pure: time and chance are
//! arguments. No part of the product.

pub mod app;
pub mod fleet;
pub mod pinned;
pub mod reader;
pub mod recorded;
pub mod rng;
pub mod usalive;
