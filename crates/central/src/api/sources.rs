//! Where drops are fetched: list, add, change, remove, test, poll now.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::json_body::JsonBody;
use super::source_view::{NewSource, SourceTest, SourceTested, SourceView, Sources};
use crate::app::Shared;
use crate::clock;
use crate::drops::sources::{Live, SOURCES_MAX, Source};
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// Every source and how it does.
#[utoipa::path(get, path = "/api/sources", tag = "drops", responses(
    (status = 200, body = Sources),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_sources(State(app): State<Shared>) -> Json<Sources> {
    let mut sources: Vec<SourceView> = app.sources.all().iter().map(SourceView::new).collect();
    // s10 comes after s9.
    sources.sort_by_key(|source| (source.id.len(), source.id.clone()));
    Json(Sources { sources })
}

/// Adds a source; it is asked at once. One that was removed a while ago (by `id`, else by name) gets
/// its secrets back when it goes to the same account of the same server.
#[utoipa::path(post, path = "/api/sources", tag = "drops", request_body = NewSource, responses(
    (status = 201, body = SourceView),
    (status = 400, body = ErrorBody, description = "it cannot work; the words say why"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
    (status = 409, body = ErrorBody, description = "there are 50 sources already"),
))]
pub async fn add_source(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<NewSource>,
) -> Result<(StatusCode, Json<SourceView>), ApiError> {
    if app.sources.all().len() >= SOURCES_MAX {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_sources",
            format!("there are {SOURCES_MAX} sources already; remove one first"),
        ));
    }
    let removed = app.sources.removed(body.id.as_deref(), &body.name);
    let config = body.config()?;
    let mut source = Source::new(
        String::new(),
        body.name,
        body.enabled,
        config,
        removed.as_deref(),
    )?;
    is_free(&app, &source)?;
    let (stored, now) = (source.to_stored(), clock::now());
    source.id = app
        .with_store(move |store| store.cell().add_source(&stored, now))
        .await?;
    let id = source.id.clone();
    app.sources.put(Arc::new(source), None);
    app.events.publish(Event::Source(id.clone()));
    Ok((
        StatusCode::CREATED,
        Json(SourceView::new(&live(&app, &id)?)),
    ))
}

/// Changes a source; it is asked at once. Secrets that are left out (or `***`) stay as they were, as
/// long as they go to the same account of the same server.
#[utoipa::path(put, path = "/api/sources/{id}", tag = "drops", request_body = NewSource,
    params(("id" = String, Path, description = "the source")),
    responses(
        (status = 200, body = SourceView),
        (status = 400, body = ErrorBody, description = "it cannot work; the words say why"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such source"),
        (status = 409, body = ErrorBody, description = "another source has this user"),
    ))]
pub async fn set_source(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewSource>,
) -> Result<Json<SourceView>, ApiError> {
    let old = live(&app, &id)?.source;
    let config = body.config()?;
    let source = Source::new(id.clone(), body.name, body.enabled, config, Some(&old))?;
    is_free(&app, &source)?;
    let (wanted, stored) = (id.clone(), source.to_stored());
    let is_there = app
        .with_store(move |store| store.cell().set_source(&wanted, &stored))
        .await?;
    if !is_there {
        return Err(no_such_source());
    }
    app.sources.put(Arc::new(source), None);
    app.events.publish(Event::Source(id.clone()));
    Ok(Json(SourceView::new(&live(&app, &id)?)))
}

/// Removes a source and answers what it was, so that it can be put back: `POST /api/sources` with
/// this answer. What it has brought stays.
#[utoipa::path(delete, path = "/api/sources/{id}", tag = "drops",
    params(("id" = String, Path, description = "the source")),
    responses(
        (status = 200, body = SourceView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such source"),
    ))]
pub async fn remove_source(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<SourceView>, ApiError> {
    live(&app, &id)?;
    let wanted = id.clone();
    app.with_store(move |store| store.cell().remove_source(&wanted))
        .await?;
    let removed = app.sources.remove(&id).ok_or_else(no_such_source)?;
    app.events.publish(Event::Source(id));
    Ok(Json(SourceView::new(&removed)))
}

/// Tries a configuration, or one that is there (`id`) with changes: the connection, the sign-in and
/// the folder. Changes nothing there. 200 also when it does not work: `ok` and `message` say it.
#[utoipa::path(post, path = "/api/sources/test", tag = "drops", request_body = SourceTest,
    responses(
        (status = 200, body = SourceTested),
        (status = 400, body = ErrorBody, description = "this is no configuration"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such source"),
    ))]
pub async fn test_source(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<SourceTest>,
) -> Result<Json<SourceTested>, ApiError> {
    let old = match &body.id {
        Some(id) => Some(live(&app, id)?.source),
        None => None,
    };
    let config = match (body.config()?, &old) {
        (Some(mut config), old) => {
            if let Some(old) = old {
                config.keep_secrets_of(&old.config);
            }
            config
        }
        (None, Some(old)) => old.config.clone(),
        (None, None) => {
            return Err(ApiError::bad_request(
                "bad_field",
                "give a \"config\", or the \"id\" of a source",
            ));
        }
    };
    Ok(Json(match ::drops::test(&config).await {
        Ok(tested) => SourceTested {
            ok: true,
            message: tested.message,
            code: None,
            fingerprint: None,
            files: tested.files,
            sample: tested.sample,
        },
        Err(error) => SourceTested {
            ok: false,
            message: error.to_string(),
            code: Some(error.code().to_owned()),
            fingerprint: error.fingerprint().map(str::to_owned),
            files: 0,
            sample: Vec::new(),
        },
    }))
}

/// Asks a source now, whenever it would be its turn.
#[utoipa::path(post, path = "/api/sources/{id}/poll", tag = "drops",
    params(("id" = String, Path, description = "the source")),
    responses(
        (status = 202, body = SourceView, description = "it is being asked"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such source"),
        (status = 409, body = ErrorBody, description = "it is switched off, or brings by itself"),
    ))]
pub async fn poll_source(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<SourceView>), ApiError> {
    let live = live(&app, &id)?;
    let conflict = |code, message: &str| ApiError::new(StatusCode::CONFLICT, code, message);
    if live.source.config.interval().is_none() {
        return Err(conflict(
            "not_polled",
            "files of this source are posted here; there is nothing to ask",
        ));
    }
    if !live.source.enabled {
        return Err(conflict(
            "switched_off",
            "the source is switched off; switch it on first",
        ));
    }
    live.wake.notify_one();
    Ok((StatusCode::ACCEPTED, Json(SourceView::new(&live))))
}

/// A user names one source of kind `http`.
fn is_free(app: &Shared, source: &Source) -> Result<(), ApiError> {
    let Some(user) = source.http_user() else {
        return Ok(());
    };
    let has_it = |live: &Live| live.source.http_user() == Some(user) && live.source.id != source.id;
    if app.sources.all().iter().any(has_it) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "user_taken",
            format!("another HTTP source has the user {user:?} already; choose another user"),
        ));
    }
    Ok(())
}

fn live(app: &Shared, id: &str) -> Result<Live, ApiError> {
    app.sources.get(id).ok_or_else(no_such_source)
}

fn no_such_source() -> ApiError {
    ApiError::not_found(
        "no_such_source",
        "there is no such source; GET /api/sources lists those that there are",
    )
}
