//! The started library, called over real HTTPS on a free port. One module a behaviour.

mod access;
mod alerts;
mod alerts_config;
mod care;
#[cfg(unix)]
mod commands;
mod drops;
mod drops_odd;
mod drops_support;
mod export;
mod ingest;
mod lifecycle;
mod limits;
mod live;
mod openapi;
mod pairing;
mod reading;
mod rejections;
mod signin;
mod slow_clients;
mod sources;
mod support;
