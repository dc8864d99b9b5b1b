//! The status of a machine: facts, limits and now in; colour, state and reason in words out. Pure;
//! what the numbers mean is architecture section 8, how they are said is `words`.

mod alerted;
mod health;
mod limits;
mod links;
mod verdict;
mod words;

pub use limits::{Judge, StatusLimits};
pub use links::{LinkState, Links, cell_interval_us, expected, links};
pub use verdict::{Color, State, Verdict, judge};
