//! Alerts from an entry to those who are told: a real server, a mail server that speaks SMTP with STARTTLS,
//! and an endpoint that is asked as Twilio publishes it.

mod away;
mod digests;
mod killed;
mod life;
mod paper;
mod support;
