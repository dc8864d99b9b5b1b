//! The engine as somebody would see it work: a fleet of machines, a clock, and who was told what.

mod changes;
mod fleet;
mod lasting;
mod prd;
mod quiet;
mod whom;
