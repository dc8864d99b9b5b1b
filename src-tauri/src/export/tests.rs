//! An export against a real router: what ends up in the folder, and what does not.

use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;

use super::*;

const LINES: &str = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n";

fn channel() -> (Channel<Progress>, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let channel = Channel::new(move |body| {
        if let tauri::ipc::InvokeResponseBody::Json(text) = body {
            kept.lock().expect("lock").push(text);
        }
        Ok(())
    });
    (channel, seen)
}

/// A router whose export answers with the given body under a name.
fn exporting(body: impl Fn() -> Body + Clone + Send + Sync + 'static) -> Router {
    let disposition = "attachment; filename=\"vendlog-logs-2026-11-23.ndjson\"";
    let answer = move || async move { ([(header::CONTENT_DISPOSITION, disposition)], body()) };
    Router::new().route("/api/logs/export", get(answer))
}

/// Pieces, then an error, then nothing: a body that breaks off, or one that never ends.
fn body_of(pieces: Vec<Result<&'static str, &'static str>>, ends: bool) -> Body {
    let (sender, receiver) = tokio::sync::mpsc::channel(16);
    for piece in pieces {
        let piece = piece.map_err(std::io::Error::other);
        sender.try_send(piece).expect("room");
    }
    if !ends {
        // Kept open for as long as the test runs.
        tokio::spawn(async move {
            sender.closed().await;
        });
    }
    Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect()
}

#[tokio::test]
async fn a_whole_export_is_saved_under_its_name_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("found.ndjson");
    let offer = offer(
        exporting(|| Body::from(LINES)),
        "level=WARN",
        Format::Ndjson,
    )
    .await;
    let offer = offer.expect("an offer");
    assert_eq!(offer.file_name, "vendlog-logs-2026-11-23.ndjson");

    let (progress, seen) = channel();
    let saved = offer
        .save(&target, Format::Ndjson, progress)
        .await
        .expect("saved");

    assert_eq!((saved.entries, saved.bytes), (3, LINES.len() as u64));
    assert_eq!(std::fs::read_to_string(&target).expect("a file"), LINES);
    assert_eq!(names_in(folder.path()), ["found.ndjson"]);
    assert_eq!(*seen.lock().expect("lock"), [r#"{"entries":3,"bytes":24}"#]);
}

#[tokio::test]
async fn an_export_that_breaks_off_leaves_the_old_file_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("found.ndjson");
    std::fs::write(&target, "old").expect("written");
    let broken = || body_of(vec![Ok("{\"n\":1}\n"), Err("the store closed")], true);
    let offer = offer(exporting(broken), "", Format::Ndjson)
        .await
        .expect("an offer");

    let problem = offer
        .save(&target, Format::Ndjson, channel().0)
        .await
        .expect_err("broken off");

    assert_eq!(problem.code, "export_broken_off");
    assert_eq!(std::fs::read_to_string(&target).expect("a file"), "old");
    assert_eq!(names_in(folder.path()), ["found.ndjson"]);
}

#[tokio::test]
async fn a_cancelled_export_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("found.ndjson");
    let endless = || body_of(vec![Ok("{\"n\":1}\n")], false);
    let offer = offer(exporting(endless), "", Format::Ndjson)
        .await
        .expect("an offer");
    let exports = Exports::default();
    let turn = exports.begin().expect("the turn");

    let saving = turn.unless_cancelled(offer.save(&target, Format::Ndjson, channel().0));
    let cancel = async {
        while names_in(folder.path()).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(exports.cancel());
    };
    let (saved, ()) = tokio::join!(saving, cancel);

    assert!(saved.is_none());
    assert!(names_in(folder.path()).is_empty());
}

#[tokio::test]
async fn what_the_router_refuses_is_told_in_its_words_before_anything_is_written() {
    let refuse = || async {
        (
            StatusCode::BAD_REQUEST,
            axum::Json(json!({"code": "bad_level", "message": "No level X."})),
        )
    };
    let router = Router::new().route("/api/logs/export", get(refuse));
    let problem = offer(router, "level=X", Format::Csv)
        .await
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(problem, Problem::new("bad_level", "No level X."));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_a_clear_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("gone/found.csv");
    let offer = offer(exporting(|| Body::from(LINES)), "", Format::Csv)
        .await
        .expect("an offer");
    let problem = offer
        .save(&target, Format::Csv, channel().0)
        .await
        .expect_err("no folder");
    assert_eq!(problem.code, "export_not_written");
    assert!(
        problem.message.contains("gone/found.csv"),
        "{}",
        problem.message
    );
}

#[test]
fn one_export_runs_at_a_time() {
    let exports = Exports::default();
    assert!(!exports.cancel());
    let turn = exports.begin().expect("the turn");
    assert_eq!(
        exports.begin().map(|_| ()).expect_err("taken").code,
        "export_running"
    );
    drop(turn);
    assert!(exports.begin().is_ok());
}

#[test]
fn a_suggested_name_is_never_a_path() {
    let name = |value| suggested_name(value);
    assert_eq!(
        name("attachment; filename=\"a.csv\"").as_deref(),
        Some("a.csv")
    );
    assert_eq!(
        name("attachment; filename=a.csv; x=y").as_deref(),
        Some("a.csv")
    );
    assert_eq!(
        name("attachment; filename=\"../../a.csv\"").as_deref(),
        Some("a.csv")
    );
    assert_eq!(name("attachment; filename=\"..\\a.csv\""), None);
    assert_eq!(name("attachment"), None);
}
