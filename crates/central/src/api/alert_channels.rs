//! The channels of alerts: list, add, change, remove, preview, test.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use vendlog_notify as notify;
use wire::Micros;

use super::alert_channel_view::{
    ChannelList, ChannelOrId, ChannelPreview, ChannelTest, ChannelTested, ChannelView, NewChannel,
};
use super::json_body::JsonBody;
use crate::alerts::deliver::channels::{CHANNELS_MAX, Live};
use crate::alerts::deliver::message::address;
use crate::alerts::deliver::{Channel, budget};
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Every channel, how it does and what it sent in the last 24 hours.
#[utoipa::path(get, path = "/api/alerts/channels", tag = "alerts", responses(
    (status = 200, body = ChannelList),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_channels(State(app): State<Shared>) -> Result<Json<ChannelList>, ApiError> {
    let channels = views(&app).await?;
    Ok(Json(ChannelList { channels }))
}

/// Adds a channel. One that was removed a while ago and comes back under its id gets its secrets back
/// when it goes to the same account of the same server.
#[utoipa::path(post, path = "/api/alerts/channels", tag = "alerts", request_body = NewChannel,
    responses(
        (status = 201, body = ChannelView),
        (status = 400, body = ErrorBody, description = "it cannot work; the words say why"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 409, body = ErrorBody, description = "the id is taken, or there are 30 already"),
    ))]
pub async fn add_channel(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<NewChannel>,
) -> Result<(StatusCode, Json<ChannelView>), ApiError> {
    let _changing = app.delivery.channels.changing.lock().await;
    let id = body.id.clone();
    let id = id.unwrap_or_else(|| body.config.kind().to_owned());
    let conflict = |code, words: String| Err(ApiError::new(StatusCode::CONFLICT, code, words));
    let mut channels = configured(&app);
    if channels.len() >= CHANNELS_MAX {
        let words = format!("there are {CHANNELS_MAX} channels already; remove one first");
        return conflict("too_many_channels", words);
    }
    if app.delivery.channels.get(&id).is_some() {
        let words = format!("there is a channel {id:?} already; choose another id");
        return conflict("channel_exists", words);
    }
    let removed = app.delivery.channels.removed(&id);
    channels.push(Arc::new(body.into_channel(id.clone(), removed.as_deref())?));
    keep(&app, channels).await?;
    Ok((StatusCode::CREATED, Json(view(&app, &id).await?)))
}

/// Changes a channel. Secrets that are left out (or `***`) stay as they were, as long as they go to the
/// same account of the same server.
#[utoipa::path(put, path = "/api/alerts/channels/{id}", tag = "alerts", request_body = NewChannel,
    params(("id" = String, Path, description = "the channel")),
    responses(
        (status = 200, body = ChannelView),
        (status = 400, body = ErrorBody, description = "it cannot work; the words say why"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such channel"),
    ))]
pub async fn set_channel(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewChannel>,
) -> Result<Json<ChannelView>, ApiError> {
    let _changing = app.delivery.channels.changing.lock().await;
    let old = live(&app, &id)?.channel;
    let channel = Arc::new(body.into_channel(id.clone(), Some(&old))?);
    let mut channels = configured(&app);
    channels.retain(|channel| channel.id != id);
    channels.push(channel);
    keep(&app, channels).await?;
    Ok(Json(view(&app, &id).await?))
}

/// Removes a channel and answers what it was, so that it can be put back with `POST`. Messages that wait
/// for it go by the next address of their person.
#[utoipa::path(delete, path = "/api/alerts/channels/{id}", tag = "alerts",
    params(("id" = String, Path, description = "the channel")),
    responses(
        (status = 200, body = ChannelView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such channel"),
    ))]
pub async fn remove_channel(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<ChannelView>, ApiError> {
    let _changing = app.delivery.channels.changing.lock().await;
    let removed = view(&app, &id).await?;
    let mut channels = configured(&app);
    channels.retain(|channel| channel.id != id);
    keep(&app, channels).await?;
    Ok(Json(removed))
}

/// Sends a test message. 200 also when it does not work: `ok` and `message` say it.
#[utoipa::path(post, path = "/api/alerts/channels/test", tag = "alerts", request_body = ChannelTest,
    responses(
        (status = 200, body = ChannelTested),
        (status = 400, body = ErrorBody, description = "this is no configuration, or no template"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such channel"),
    ))]
pub async fn test_channel(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<ChannelTest>,
) -> Result<Json<ChannelTested>, ApiError> {
    let old = match (&body.channel, &body.id) {
        (ChannelOrId::Id(id), _) | (ChannelOrId::Config(_), Some(id)) => {
            Some(live(&app, id)?.channel)
        }
        (ChannelOrId::Config(_), None) => None,
    };
    let own = old.as_ref().and_then(|channel| channel.template.clone());
    let template = body.template.or(own);
    if let Some(Err(error)) = template.as_ref().map(notify::Template::check) {
        return Err(ApiError::bad_request("bad_template", error.to_string()));
    }
    let config = match (body.channel, old) {
        (ChannelOrId::Config(mut config), old) => {
            if let Some(old) = old {
                config.keep_secrets_of(&old.config);
            }
            *config
        }
        (ChannelOrId::Id(_), Some(old)) => old.config.clone(),
        (ChannelOrId::Id(_), None) => return Err(no_such_channel()),
    };
    let now = clock::now();
    let sent = match address(&config, &body.to) {
        Ok(to) => {
            let id = format!("vendlog-test-{}", now.0);
            let sent = notify::test_channel(&config, &to, template, &id, now, "UTC").await;
            sent.map_err(|error| {
                let pin = match &error {
                    notify::SendError::Permanent { fingerprint, .. } => fingerprint.clone(),
                    notify::SendError::Temporary { .. } => None,
                };
                (error.code().to_owned(), error.to_string(), pin)
            })
        }
        Err(words) => Err(("address".to_owned(), words, None)),
    };
    Ok(Json(match sent {
        Ok(_) => ChannelTested {
            ok: true,
            message: "the provider took the message; look whether it arrives".to_owned(),
            code: None,
            fingerprint: None,
        },
        Err((code, message, fingerprint)) => ChannelTested {
            ok: false,
            message,
            code: Some(code),
            fingerprint,
        },
    }))
}

/// How a message looks by a channel, with the user's own words if some are given. Sends nothing.
#[utoipa::path(post, path = "/api/alerts/channels/preview", tag = "alerts",
    request_body = ChannelPreview,
    responses(
        (status = 200, body = notify::Preview),
        (status = 400, body = ErrorBody, description = "this is no configuration, or no template"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such channel"),
    ))]
pub async fn preview_channel(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<ChannelPreview>,
) -> Result<Json<notify::Preview>, ApiError> {
    let (config, own) = match body.channel {
        ChannelOrId::Config(config) => (*config, None),
        ChannelOrId::Id(id) => {
            let channel = live(&app, &id)?.channel;
            (channel.config.clone(), channel.template.clone())
        }
    };
    let template = body.template.or(own);
    if let Some(Err(error)) = template.as_ref().map(notify::Template::check) {
        return Err(ApiError::bad_request("bad_template", error.to_string()));
    }
    let mut message = example(clock::now());
    message.template = template;
    Ok(Json(notify::preview(&config, &message)))
}

/// A message as one may come.
fn example(now: Micros) -> notify::Message {
    let url = "https://vendlog.example:4433/alerts/12";
    notify::Message {
        kind: notify::Kind::First,
        alert: Some(notify::AlertRef {
            id: "vendlog-example-a12".to_owned(),
            no: 12,
        }),
        severity: notify::Severity::Critical,
        issue: "Payment System Down".to_owned(),
        machines: vec![notify::MachineRef {
            id: "VM001".to_owned(),
            name: "Lobby".to_owned(),
            site: "Main Street 1".to_owned(),
            location: "2nd floor".to_owned(),
        }],
        facts: "12 errors of payment within 5 minutes; the last: card reader does not answer"
            .to_owned(),
        link: Some(url.to_owned()),
        ..notify::Message::test("vendlog-example-m1".to_owned(), now, "UTC".to_owned())
    }
}

/// Every channel as it is answered; also for the whole configuration of alerts.
///
/// # Errors
/// The store failed.
pub async fn views(app: &Shared) -> Result<Vec<ChannelView>, ApiError> {
    let channels = app.delivery.channels.all();
    let since = budget::since(clock::now());
    app.with_store(move |store| {
        let view = |live: &Live| {
            let sent = store.alerts().sent_since(&live.channel.id, since)?;
            Ok(ChannelView::new(live, sent))
        };
        channels.iter().map(view).collect()
    })
    .await
}

/// Uses these channels instead of those before: the part of the whole configuration of alerts. What
/// each leaves out of its secrets is taken from the one of its id.
///
/// # Errors
/// One of them cannot work, or two have the same id; nothing is changed.
pub async fn replace(app: &Shared, bodies: Vec<NewChannel>) -> Result<(), ApiError> {
    let _changing = app.delivery.channels.changing.lock().await;
    let bad = |words: String| Err(ApiError::bad_request("bad_channel", words));
    if bodies.len() > CHANNELS_MAX {
        return bad(format!("there can be {CHANNELS_MAX} channels at most"));
    }
    let mut channels: Vec<Arc<Channel>> = Vec::new();
    for body in bodies {
        let id = body.id.clone();
        let id = id.unwrap_or_else(|| body.config.kind().to_owned());
        if channels.iter().any(|channel| channel.id == id) {
            return bad(format!("two channels have the id {id:?}"));
        }
        let known = app.delivery.channels.get(&id).map(|live| live.channel);
        let old = known.or_else(|| app.delivery.channels.removed(&id));
        channels.push(Arc::new(body.into_channel(id, old.as_deref())?));
    }
    keep(app, channels).await
}

/// The channels as they are configured now.
fn configured(app: &Shared) -> Vec<Arc<Channel>> {
    let channels = app.delivery.channels.all().into_iter();
    channels.map(|live| live.channel).collect()
}

async fn keep(app: &Shared, channels: Vec<Arc<Channel>>) -> Result<(), ApiError> {
    let (for_store, wanted) = (app.clone(), channels.clone());
    app.with_store(move |store| for_store.delivery.channels.keep(store, &wanted))
        .await?;
    app.delivery.channels.set(channels);
    app.delivery.wake();
    Ok(())
}

async fn view(app: &Shared, id: &str) -> Result<ChannelView, ApiError> {
    let live = live(app, id)?;
    let (id, since) = (id.to_owned(), budget::since(clock::now()));
    let sent = app
        .with_store(move |store| store.alerts().sent_since(&id, since))
        .await?;
    Ok(ChannelView::new(&live, sent))
}

fn live(app: &Shared, id: &str) -> Result<Live, ApiError> {
    let live = app.delivery.channels.get(id);
    live.ok_or_else(no_such_channel)
}

fn no_such_channel() -> ApiError {
    ApiError::not_found(
        "no_such_channel",
        "there is no such channel; GET /api/alerts/channels lists those that there are",
    )
}
