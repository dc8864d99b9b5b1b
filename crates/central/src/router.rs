//! Every route, grouped by who may call it, and the layers around them all.

use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::caller::Need;
use crate::access::{guard, sessions};
use crate::api::{
    agent_config, alert_acts, alert_channels, alert_config, alert_deliveries, alert_rules,
    alert_trial, alert_watch, alerts, cell, components, context, credentials, data_plan,
    dictionaries, drop_in, drop_list, export, health, histogram, info, live, logs, machines,
    maintenance, openapi, pairing, quarantine, resend, sources,
};
use crate::app::Shared;
use crate::{ingest, observe, ui};

type Routes = OpenApiRouter<Shared>;

/// The one router: browsers, machines, the window and the admin socket all come through it.
pub fn router(app: Shared) -> Router {
    let (router, _) = routes().split_for_parts();
    let pages = Router::new()
        .fallback(ui::page)
        .layer(from_fn(|request, next| {
            guard::require(Need::Reader, request, next)
        }));
    router
        .fallback_service(pages)
        .method_not_allowed_fallback(ui::wrong_method)
        .layer(Extension(Arc::clone(&app.room)))
        .layer(from_fn_with_state(Arc::clone(&app), guard::identify))
        .layer(from_fn(ui::security_headers))
        .layer(CatchPanicLayer::custom(observe::answer_panic))
        .layer(from_fn_with_state(
            observe::RequestCount::default(),
            observe::log_request,
        ))
        .with_state(app)
}

/// The OpenAPI description of every route.
pub fn description() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn routes() -> Routes {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .merge(open())
        .merge(for_machines())
        .merge(for_deliveries())
        .merge(for_readers())
        .merge(for_responders())
        .merge(for_managers())
        .merge(for_admins())
}

/// For anybody; the guard lists these paths as open.
fn open() -> Routes {
    Routes::default()
        .routes(routes!(health::get_health))
        .routes(routes!(sessions::use_signin_link))
        .routes(routes!(pairing::pair))
}

/// For a machine's own key: bounded as sent, unpacked, bounded again by the handler.
fn for_machines() -> Routes {
    Routes::default()
        .routes(routes!(ingest::logs::post_logs))
        .routes(routes!(ingest::heartbeat::post_heartbeat))
        .route_layer(RequestDecompressionLayer::new())
        .route_layer(from_fn(ingest::body::bound))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Machine, request, next)
        }))
}

/// For who brings drops; the handler bounds the body itself, because it answers for what is too large.
fn for_deliveries() -> Routes {
    Routes::default()
        .routes(routes!(drop_in::post_drop))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Deliver, request, next)
        }))
}

/// For everybody who may read.
fn for_readers() -> Routes {
    Routes::default()
        .routes(routes!(logs::get_logs))
        .routes(routes!(histogram::get_histogram))
        .routes(routes!(context::get_context))
        .routes(routes!(components::get_components))
        .routes(routes!(export::export))
        .routes(routes!(machines::get_machines))
        .routes(routes!(machines::get_machine_status))
        .routes(routes!(cell::get_cell))
        .routes(routes!(drop_list::get_drops))
        .routes(routes!(sources::get_sources))
        .routes(routes!(quarantine::get_quarantine))
        .routes(routes!(quarantine::get_quarantine_item))
        .routes(routes!(data_plan::get_data_plan))
        .routes(routes!(dictionaries::get_dictionaries))
        .routes(routes!(dictionaries::get_dictionary))
        .routes(routes!(alerts::get_alerts))
        .routes(routes!(alerts::get_alert))
        .routes(routes!(alert_config::get_config))
        .routes(routes!(alert_rules::get_rules))
        .routes(routes!(alert_deliveries::get_deliveries))
        .routes(routes!(maintenance::get_maintenance))
        .routes(routes!(alert_channels::get_channels))
        .routes(routes!(alert_watch::get_watch))
        .routes(routes!(sessions::get_session, sessions::sign_out))
        .routes(routes!(info::get_info))
        .routes(routes!(live::get_live))
        .routes(routes!(health::get_readiness))
        .routes(routes!(openapi::get_openapi))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Reader, request, next)
        }))
}

/// For who answers alerts and works on machines.
fn for_responders() -> Routes {
    Routes::default()
        .routes(routes!(alert_acts::acknowledge))
        .routes(routes!(alert_acts::unacknowledge))
        .routes(routes!(alert_acts::silence))
        .routes(routes!(alert_acts::note))
        .routes(routes!(alert_acts::resolve))
        .routes(routes!(maintenance::begin_maintenance))
        .routes(routes!(maintenance::end_maintenance))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Responder, request, next)
        }))
}

/// For who may change what is registered.
fn for_managers() -> Routes {
    Routes::default()
        .routes(routes!(machines::add_machine))
        .routes(routes!(machines::remove_machine, machines::change_machine))
        .routes(routes!(machines::rotate_key))
        .routes(routes!(pairing::add_pairing_code))
        .routes(routes!(
            agent_config::get_agent_config,
            agent_config::set_agent_config,
            agent_config::withdraw_agent_config
        ))
        .routes(routes!(resend::get_resends, resend::ask_resend))
        .routes(routes!(alert_config::set_config))
        .routes(routes!(alert_rules::add_rule))
        .routes(routes!(alert_rules::set_rule, alert_rules::remove_rule))
        .routes(routes!(alert_trial::try_rule))
        .routes(routes!(credentials::add_token))
        .routes(routes!(sources::add_source))
        .routes(routes!(sources::set_source, sources::remove_source))
        .routes(routes!(sources::test_source))
        .routes(routes!(sources::poll_source))
        .routes(routes!(quarantine::retry_quarantined))
        .routes(routes!(quarantine::discard_quarantined))
        .routes(routes!(quarantine::restore_quarantined))
        .routes(routes!(data_plan::set_data_plan))
        .routes(routes!(
            data_plan::set_machine_data_plan,
            data_plan::remove_machine_data_plan
        ))
        .routes(routes!(dictionaries::add_dictionary))
        .routes(routes!(dictionaries::train_dictionary))
        .routes(routes!(dictionaries::use_dictionary))
        .routes(routes!(alert_channels::add_channel))
        .routes(routes!(
            alert_channels::set_channel,
            alert_channels::remove_channel
        ))
        .routes(routes!(alert_channels::test_channel))
        .routes(routes!(alert_channels::preview_channel))
        .routes(routes!(alert_watch::set_watch))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Manager, request, next)
        }))
}

/// For the admin socket and the window.
fn for_admins() -> Routes {
    Routes::default()
        .routes(routes!(credentials::add_signin_link))
        .route_layer(from_fn(|request, next| {
            guard::require(Need::Admin, request, next)
        }))
}
