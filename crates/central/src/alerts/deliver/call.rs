//! One message on its way: it is said durably that it is being sent, the provider is called, and what
//! became of it is kept. Where it cannot go, the person's next address gets it.

use std::sync::Arc;

use alerts::life::Why;
use alerts::tell::recipients::next_address;
use alerts::{Outgoing, Phase, Subject};
use store::{Alerts, Machine, Message, Store, StoreError, Tried};
use vendlog_notify as notify;
use wire::Micros;

use super::backoff::next_try;
use super::channels::Live;
use super::message::{address, message};
use super::{Channel, budget};
use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;

/// After so many tries in vain the person's next address gets it too, while the first goes on being
/// tried: about a minute.
const TELL_ELSEWHERE_AFTER: u32 = 3;
/// Deliveries that are looked through for those of the same message.
const LOOKED_BACK: usize = 500;

/// What is to be done with a message.
enum Plan {
    /// Hand it to the provider.
    Call(Box<notify::Message>, notify::Address, Arc<Channel>),
    /// This became of it without a call.
    Settle(Tried, Elsewhere),
    /// Somebody else has it, or it is gone.
    Leave,
}

/// Whether the person's next address gets it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Elsewhere {
    Yes,
    No,
}

/// Works a message off that is due.
///
/// # Errors
/// The store failed; the message stays and is taken up again.
pub async fn deliver(app: &Shared, message: Message) -> Result<(), ApiError> {
    let (for_plan, wanted) = (app.clone(), message.clone());
    let plan = app
        .with_store(move |store| plan(&for_plan, store, &wanted, clock::now()))
        .await?;
    match plan {
        Plan::Leave => Ok(()),
        Plan::Settle(tried, elsewhere) => settle(app, message, tried, elsewhere).await,
        Plan::Call(told, to, channel) => {
            let sent = notify::send(&channel.config, &to, &told).await;
            let now = clock::now();
            app.delivery
                .channels
                .update(&channel.id, |status| match &sent {
                    Ok(_) => status.sent(now),
                    Err(error) => status.failed(error, now),
                });
            let (tried, elsewhere) = outcome(sent, &message, now);
            settle(app, message, tried, elsewhere).await
        }
    }
}

/// Looks whether a message is still to be told and by what, and says durably that it is being sent.
fn plan(app: &Shared, store: &Store, message: &Message, now: Micros) -> Result<Plan, StoreError> {
    let outgoing = &message.outgoing;
    let alerts = store.alerts();
    let failed = |error: String, elsewhere| Ok(Plan::Settle(Tried::Failed { error }, elsewhere));
    if !is_of_use(&alerts, outgoing)? {
        return failed(
            "not sent: the alert was taken or over by then".to_owned(),
            Elsewhere::No,
        );
    }
    let Some(live) = app.delivery.channels.get(&outgoing.channel) else {
        let words = format!("there is no channel {:?}; add it", outgoing.channel);
        return failed(words, Elsewhere::Yes);
    };
    if !live.channel.enabled {
        return failed("the channel is switched off".to_owned(), Elsewhere::Yes);
    }
    let to = match address(&live.channel.config, &outgoing.to) {
        Ok(to) => to,
        Err(words) => return failed(words, Elsewhere::Yes),
    };
    if let Some((until, words)) = live.status.broken(now) {
        let words = words.to_owned();
        return broken(&alerts, message, until, words);
    }
    if let Some(error) = over_budget(app, &alerts, &live, outgoing, now)? {
        return Ok(Plan::Settle(Tried::Held { error }, Elsewhere::Yes));
    }
    let machines: Vec<Machine> = machines(store, outgoing)?;
    if !alerts.begin_delivery(message.id)? {
        return Ok(Plan::Leave);
    }
    let channel = live.channel;
    let told = self::message(message.id, outgoing, &machines, &app.server, &channel);
    Ok(Plan::Call(Box::new(told), to, channel))
}

/// A channel that is known to be broken is not called: the message goes elsewhere, or waits.
fn broken(
    alerts: &Alerts,
    message: &Message,
    until: Micros,
    error: String,
) -> Result<Plan, StoreError> {
    let has_other = elsewhere(alerts, &message.outgoing)?.is_some();
    let is_in_time = until.since_us(message.created_at) <= store::DELIVERY_TRIED_US;
    Ok(if has_other || !is_in_time {
        Plan::Settle(Tried::Failed { error }, Elsewhere::Yes)
    } else {
        Plan::Settle(Tried::Again { at: until, error }, Elsewhere::No)
    })
}

/// What became of a call.
fn outcome(
    sent: Result<notify::Sent, notify::SendError>,
    message: &Message,
    now: Micros,
) -> (Tried, Elsewhere) {
    let error = match sent {
        Ok(sent) => {
            let price = sent.price.map(|price| price.millionths);
            let tried = Tried::Sent {
                provider_id: sent.provider_id,
                price_micros: price.and_then(|price| i64::try_from(price).ok()),
            };
            return (tried, Elsewhere::No);
        }
        Err(error) => error,
    };
    let tries = message.tries.saturating_add(1);
    let words = error.to_string();
    let again = next_try(message.created_at, tries, error.retry_after(), dice(), now);
    match again {
        Some(at) if error.is_temporary() => {
            let is_time = tries == TELL_ELSEWHERE_AFTER;
            let elsewhere = if is_time {
                Elsewhere::Yes
            } else {
                Elsewhere::No
            };
            (Tried::Again { at, error: words }, elsewhere)
        }
        _ => (Tried::Failed { error: words }, Elsewhere::Yes),
    }
}

/// Keeps what became of a message. Its person's next address gets it in the same breath; a broken
/// channel of somebody who has no other address is tried again for a day, for it may be mended.
async fn settle(
    app: &Shared,
    message: Message,
    tried: Tried,
    whether: Elsewhere,
) -> Result<(), ApiError> {
    let now = clock::now();
    let is_broken = {
        let live = app.delivery.channels.get(&message.outgoing.channel);
        live.and_then(|live| live.status.broken(now).map(|(until, _)| until))
    };
    tell(&message, &tried);
    app.delivery.channels.settled(message.id);
    let added = app
        .with_store(move |store| {
            let alerts = store.alerts();
            let mut tried = tried;
            let next = match whether {
                Elsewhere::Yes => elsewhere(&alerts, &message.outgoing)?,
                Elsewhere::No => None,
            };
            let added = next.is_some();
            // First the new row: a crash in between tells twice rather than never.
            if let Some(next) = next {
                alerts.add_delivery(next)?;
            } else if let (Tried::Failed { error }, Some(at)) = (&tried, is_broken)
                && at.since_us(message.created_at) <= store::DELIVERY_TRIED_US
            {
                let error = error.clone();
                tried = Tried::Again { at, error };
            }
            alerts.finish_delivery(message.id, tried, now)?;
            Ok(added)
        })
        .await?;
    if added {
        app.delivery.wake();
    }
    Ok(())
}

/// What is worth a line of the log; addresses of people stay out of it.
fn tell(message: &Message, tried: &Tried) {
    let (id, channel) = (message.id, &message.outgoing.channel);
    match tried {
        Tried::Sent { .. } => tracing::info!(id, channel, "a message was sent"),
        Tried::Again { error, .. } => tracing::warn!(id, channel, error, "a message goes again"),
        Tried::Failed { error } => tracing::warn!(id, channel, error, "a message was given up"),
        Tried::Held { error } => tracing::warn!(id, channel, error, "a message is held"),
    }
}

/// Whether a message still says what is so: who is told of a beginning wants to know whether
/// somebody has to look now.
fn is_of_use(alerts: &Alerts, outgoing: &Outgoing) -> Result<bool, StoreError> {
    let (Some(id), Subject::Alert(why) | Subject::Group(why)) = (outgoing.alert, outgoing.subject)
    else {
        return Ok(true);
    };
    if !matches!(why, Why::First | Why::Repeat(_) | Why::Escalation(_)) {
        return Ok(true);
    }
    let whole = alerts.get(id)?;
    // One that was forgotten is over for months.
    Ok(whole.is_some_and(|whole| whole.alert.phase == Phase::Firing))
}

/// Why the limit of 24 hours holds a message back, if it does.
fn over_budget(
    app: &Shared,
    alerts: &Alerts,
    live: &Live,
    outgoing: &Outgoing,
    now: Micros,
) -> Result<Option<String>, StoreError> {
    let Some(limit) = live.channel.limit_per_day else {
        return Ok(None);
    };
    let (sent, _) = alerts.sent_since(&live.channel.id, budget::since(now))?;
    // Those that are being sent now, but this one.
    let sending = app.delivery.channels.in_flight_of(&live.channel.id);
    let used = sent + (sending as u64).saturating_sub(1);
    let allowed = budget::allowed(limit, outgoing);
    Ok((used >= allowed).then(|| {
        format!("{used} messages went by this channel in 24 hours; its limit_per_day is {limit}")
    }))
}

/// The same message for the person's next address; `None` when every channel of theirs has or had it.
fn elsewhere(alerts: &Alerts, outgoing: &Outgoing) -> Result<Option<Outgoing>, StoreError> {
    let theirs = match outgoing.alert {
        Some(id) => alerts.get(id)?.map(|whole| whole.deliveries),
        None => Some(alerts.deliveries(None, LOOKED_BACK)?),
    };
    let is_same = |other: &Outgoing| {
        let about = (other.alert, other.change, &other.person);
        let is_about = about == (outgoing.alert, outgoing.change, &outgoing.person);
        // A digest has neither a number nor a change; it has its time.
        is_about && (outgoing.alert.is_some() || other.at == outgoing.at)
    };
    let mut tried: Vec<String> = theirs
        .unwrap_or_default()
        .into_iter()
        .filter(|message| is_same(&message.outgoing))
        .map(|message| message.outgoing.channel)
        .collect();
    tried.push(outgoing.channel.clone());
    let config = alerts.config()?;
    let next = next_address(&config, &outgoing.person, &tried);
    Ok(next.map(|next| Outgoing {
        channel: next.channel.clone(),
        to: next.to.clone(),
        ..outgoing.clone()
    }))
}

/// The machines that a message names.
fn machines(store: &Store, outgoing: &Outgoing) -> Result<Vec<Machine>, StoreError> {
    if let [one] = outgoing.machines.as_slice() {
        return Ok(store.machine(one)?.into_iter().collect());
    }
    let mut machines = store.machines()?;
    machines.retain(|machine| outgoing.machines.contains(&machine.id));
    Ok(machines)
}

/// 0 to 1; the middle where the system gives no random bytes.
fn dice() -> f64 {
    let bytes = crate::access::keys::random::<2>();
    bytes.map_or(0.5, |bytes| {
        f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
    })
}
