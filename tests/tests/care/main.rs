//! Remote care over real processes: keys, configurations, resends and pairing, with kills.

mod configuration;
mod keys;
mod pairing;
mod resend;
mod site;
