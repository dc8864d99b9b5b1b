//! What people and the window read and change. One file per thing; `router` lists the routes.

// utoipa's attribute writes the paths of the parameter types out in full.
#![allow(unused_qualifications)]

pub mod agent_config;
pub mod alert_acts;
pub mod alert_channel_view;
pub mod alert_channels;
pub mod alert_config;
pub mod alert_deliveries;
pub mod alert_document;
pub mod alert_rules;
pub mod alert_trial;
pub mod alert_view;
pub mod alert_watch;
pub mod alerts;
pub mod cell;
pub mod components;
pub mod context;
pub mod credentials;
pub mod data_plan;
pub mod dictionaries;
pub mod drop_in;
pub mod drop_list;
pub mod entry;
pub mod export;
pub mod health;
pub mod histogram;
pub mod info;
pub mod json_body;
pub mod live;
pub mod logs;
pub mod machine_body;
pub mod machine_view;
pub mod machines;
pub mod maintenance;
pub mod openapi;
pub mod pairing;
pub mod quarantine;
pub mod query;
pub mod resend;
pub mod source_view;
pub mod sources;
pub mod text;
