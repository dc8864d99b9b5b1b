//! Those who bring alerts to people: a mail server that speaks SMTP with STARTTLS, and a web server that
//! answers as Twilio, as a chat or as a dead-man's switch would. Both keep what they were told.

pub mod mail;
pub mod web;

pub use mail::{Mail, MailServer};
pub use web::{Asked, WebServer};
