//! Telling people, against peers that speak the real protocols on loopback: an SMTP server with
//! STARTTLS and AUTH, and HTTP endpoints whose requests are looked at field by field.

mod bounds;
mod channels;
mod dead_man;
mod email;
mod email_trouble;
mod every_message;
mod hostile;
mod http_server;
mod identity;
mod messages;
mod outcome;
mod replies;
mod smtp_server;
mod twilio;
mod webhooks;
