//! The duty that takes "ACK 12" by SMS: Twilio's list of messages is asked, because Twilio cannot reach
//! a computer behind a router. Only while somebody was told of an open alert by SMS: each question is a
//! request over the internet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alerts::{Act, AlertConfig, Phase};
use store::{AlertQuery, Store, StoreError};
use vendlog_notify::sms::replies::{Cursor, Reply, poll};
use vendlog_notify::{Address, ChannelConfig};
use wire::Micros;
use wire::time::DAY_US;

use super::Channel;
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;

/// How often the list is asked: somebody who acknowledges should see it soon, and Twilio asks to be
/// asked rarely.
const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long after an SMS replies are looked for.
const ANSWERED_WITHIN_US: i64 = DAY_US;
/// Newest messages among which those SMS are looked for.
const LOOKED_BACK: usize = 1_000;
/// Open alerts that can be acknowledged.
const OPEN_MOST: usize = 10_000;

/// What is asked for.
struct Question {
    channel: Arc<Channel>,
    /// Names of people by their telephone.
    people: BTreeMap<String, String>,
    cursor: Cursor,
}

/// Asks every channel once; answers how many alerts were acknowledged.
///
/// # Errors
/// The store does not answer.
pub async fn one_step(app: &Shared, now: Micros) -> Result<usize, ApiError> {
    let takes_replies = |channel: &Arc<Channel>| match &channel.config {
        ChannelConfig::Sms(config) => channel.enabled && config.takes_replies,
        _ => false,
    };
    let channels = app.delivery.channels.all().into_iter();
    let channels: Vec<_> = channels.map(|l| l.channel).filter(takes_replies).collect();
    if channels.is_empty() {
        return Ok(0);
    }
    let questions = app
        .with_store(move |store| questions(store, &channels, now))
        .await?;
    let mut taken = 0;
    for question in questions {
        taken += ask(app, question, now).await?;
    }
    Ok(taken)
}

async fn ask(app: &Shared, question: Question, now: Micros) -> Result<usize, ApiError> {
    let Question {
        channel,
        people,
        mut cursor,
    } = question;
    let ChannelConfig::Sms(config) = &channel.config else {
        return Ok(0);
    };
    let numbers: Vec<&str> = people.keys().map(String::as_str).collect();
    let before = cursor.clone();
    let replies = match poll(config, &numbers, &mut cursor).await {
        Ok(replies) => replies,
        Err(error) => {
            let channel = &channel.id;
            tracing::warn!(channel, %error, "replies by SMS cannot be asked for");
            return Ok(0);
        }
    };
    if replies.is_empty() && cursor == before {
        return Ok(0);
    }
    let name = cursor_setting(&channel.id);
    app.with_store(move |store| {
        let taken = acknowledge(store, &replies, &people, now)?;
        // After what they say was done: a crash in between does it twice, which is no harm.
        let cursor = serde_json::to_vec(&cursor).unwrap_or_default();
        store.set_setting(&name, &cursor)?;
        Ok(taken)
    })
    .await
}

fn acknowledge(
    store: &Store,
    replies: &[Reply],
    people: &BTreeMap<String, String>,
    now: Micros,
) -> Result<usize, StoreError> {
    let mut taken = 0;
    for Reply {
        from,
        alert_no,
        note,
        ..
    } in replies
    {
        let Some(who) = people.get(from) else {
            continue;
        };
        let done = store
            .alerts()
            .act(*alert_no, Act::Acknowledge, who, note, now)?;
        match done {
            Ok(_) => taken += 1,
            // They answered too late, or mistyped.
            Err(error) => tracing::info!(alert_no, %error, "a reply by SMS acknowledges nothing"),
        }
    }
    Ok(taken)
}

/// The channels by which an open alert was told lately.
fn questions(
    store: &Store,
    channels: &[Arc<Channel>],
    now: Micros,
) -> Result<Vec<Question>, StoreError> {
    let open = AlertQuery {
        phases: vec![Phase::Firing, Phase::Acknowledged, Phase::Waiting],
        limit: OPEN_MOST,
        ..AlertQuery::default()
    };
    let open = store.alerts().list(&open)?;
    let open: BTreeSet<u64> = open.iter().map(|alert| alert.id).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let config = store.alerts().config()?;
    let newest = store.alerts().deliveries(None, LOOKED_BACK)?;
    let mut questions = Vec::new();
    for channel in channels {
        let first = newest
            .iter()
            .filter(|message| message.outgoing.channel == channel.id)
            .filter(|message| message.outgoing.alert.is_some_and(|id| open.contains(&id)))
            .filter_map(|message| message.sent_at)
            .filter(|at| now.since_us(*at) <= ANSWERED_WITHIN_US)
            .min();
        let Some(first) = first else {
            continue;
        };
        let kept = store.setting(&cursor_setting(&channel.id))?;
        let kept = kept.and_then(|json| serde_json::from_slice(&json).ok());
        questions.push(Question {
            channel: Arc::clone(channel),
            people: people(&config, &channel.id),
            cursor: kept.unwrap_or_else(|| Cursor::new(first)),
        });
    }
    Ok(questions)
}

/// Whose telephone is whose; where two share one, the first is meant.
fn people(config: &AlertConfig, channel: &str) -> BTreeMap<String, String> {
    let mut people = BTreeMap::new();
    for person in &config.people {
        let name = if person.name.is_empty() {
            &person.id
        } else {
            &person.name
        };
        for address in person.addresses.iter().filter(|a| a.channel == channel) {
            if let Ok(Address::Phone { number }) = Address::phone(&address.to) {
                people.entry(number).or_insert_with(|| name.clone());
            }
        }
    }
    people
}

fn cursor_setting(channel: &str) -> String {
    format!("alerts.replies.{channel}")
}

/// Steps for ever; ended by aborting its task.
pub async fn run(app: Shared) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if let Err(error) = one_step(&app, clock::now()).await {
            tracing::warn!(
                error = error.message(),
                "replies by SMS were not looked for"
            );
        }
    }
}
