//! Mailboxes on servers that can do less, or that end what we wait for: still Dovecot, told so.

use std::time::{Duration, Instant};

use drops::Waited;
use drops::limits::IDLE_AGAIN;
use serde_json::json;
use tests::services::{Dovecot, DovecotSetup};

use crate::imap::{config, drop_mail};
use crate::kept::Kept;

/// A server that says that it can do only this.
fn with_capabilities(words: &str) -> Dovecot {
    Dovecot::start_as(&DovecotSetup {
        more: vec![format!("imap_capability = IMAP4rev1 {words}")],
        ..DovecotSetup::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_moved_or_deleted_by_what_the_server_can_do() {
    for (capabilities, left) in [("MOVE UIDPLUS", 0), ("UIDPLUS", 0), ("", 1)] {
        let imap = with_capabilities(capabilities);
        imap.make_folder("Done");
        let kept = Kept::default();
        imap.deliver(&drop_mail(1));
        let moving = config(&imap, json!({"after": "move", "move_to": "Done"}));
        for taken in [1, 0] {
            let polled = drops::poll(&moving, &kept).await.unwrap();
            assert_eq!(
                (polled.taken, polled.trouble_count),
                (taken, 0),
                "{capabilities}: {polled:?}"
            );
            // Where it cannot be removed without others, it stays, marked as deleted.
            assert_eq!(
                (imap.count(""), imap.count("Done")),
                (left, 1),
                "{capabilities}"
            );
        }
        imap.deliver(&drop_mail(2));
        let deleting = config(&imap, json!({"after": "delete"}));
        for taken in [1, 0] {
            let polled = drops::poll(&deleting, &kept).await.unwrap();
            assert_eq!(
                (polled.taken, polled.listed),
                (taken, taken),
                "{capabilities}: {polled:?}"
            );
            assert_eq!(imap.count(""), 2 * left, "{capabilities}");
        }
        let heard = imap.heard();
        assert_eq!(
            [heard.contains("UID MOVE"), heard.contains("UID EXPUNGE")],
            [
                capabilities.contains("MOVE"),
                capabilities.contains("UIDPLUS")
            ],
            "{capabilities}: {heard}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_idle_is_asked_by_the_clock() {
    let imap = with_capabilities("UIDPLUS");
    let config = config(&imap, json!({}));
    let most = Duration::from_secs(30);
    let waited = drops::wait_for_new(&config, None, most, IDLE_AGAIN);
    assert_eq!(waited.await.unwrap(), Waited::CannotWait);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_is_asked_for_again_and_hears_of_what_comes_then() {
    const AGAIN: Duration = Duration::from_secs(1);
    let imap = Dovecot::start();
    let config = config(&imap, json!({}));
    let mark = drops::poll(&config, &Kept::default()).await.unwrap().mark;
    let waiting = {
        let (config, mark) = (config.clone(), mark.clone());
        let most = Duration::from_secs(60);
        tokio::spawn(
            async move { drops::wait_for_new(&config, mark.as_deref(), most, AGAIN).await },
        )
    };
    let idles = || imap.heard().matches("IDLE\r\n").count();
    let began = Instant::now();
    while idles() < 3 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            imap.heard()
        );
        assert!(!waiting.is_finished());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    imap.deliver(&drop_mail(1));
    assert_eq!(waiting.await.unwrap().unwrap(), Waited::New);
    println!("{} times IDLE in {:?}", idles(), began.elapsed());
    // The server heard of the end of each before the next one began.
    let heard = imap.heard();
    assert!(heard.matches("DONE\r\n").count() >= 3, "{heard}");
}
