//! An alert, its history and its messages as the API answers them.

use std::collections::HashMap;

use alerts::config::condition::Way;
use alerts::life::By;
use alerts::{Alert, AlertKind, History, Maintenance};
use serde::Serialize;
use store::{Machine, Message, MessageState, Store, StoreError};
use utoipa::ToSchema;
use wire::{MachineId, Micros};

/// An alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertView {
    /// Its number, by which people name it ("ACK 12").
    pub id: u64,
    /// The machine; null when it is of many.
    #[schema(required = true)]
    pub machine_id: Option<MachineId>,
    /// The machines: one, but for a group or a path.
    pub machines: Vec<AlertMachine>,
    /// The entry that began it.
    #[schema(required = true)]
    pub log_id: Option<String>,
    /// What kind of trouble: the rule's name when it began.
    pub alert_type: String,
    /// The rule.
    pub rule_id: String,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// `pending` (nobody was told yet), `sent` or `acknowledged`.
    pub status: &'static str,
    /// `waiting`, `firing`, `acknowledged` or `resolved`.
    pub phase: &'static str,
    /// `machine`, `group` (many machines fail the same rule) or `path` (all that are heard by it).
    pub kind: &'static str,
    /// `wifi` or `cell`, of an alert of a path.
    #[schema(required = true)]
    pub path: Option<&'static str>,
    /// What of the machine: a component, a sentence, a product; or nothing.
    pub part: String,
    /// When it happened, by the machine's time.
    pub since: String,
    /// When it was found.
    pub raised_at: String,
    /// When it began to fire.
    #[schema(required = true)]
    pub fired_at: Option<String>,
    /// The last sign of it.
    pub last_at: String,
    /// Signs of it.
    pub count: u64,
    /// What, in words with its numbers.
    pub facts: String,
    /// It was known too late for its path.
    pub is_late: bool,
    /// When the first message of it, or of the group that speaks for it, went out.
    #[schema(required = true)]
    pub sent_at: Option<String>,
    /// When somebody took it.
    #[schema(required = true)]
    pub acknowledged_at: Option<String>,
    /// Who.
    #[schema(required = true)]
    pub acknowledged_by: Option<String>,
    /// What they said.
    #[schema(required = true)]
    pub acknowledged_note: Option<String>,
    /// Nobody is told until then.
    #[schema(required = true)]
    pub silenced_until: Option<String>,
    /// When it ended.
    #[schema(required = true)]
    pub resolved_at: Option<String>,
    /// `itself`, `hand`, `visit` or `configuration`.
    #[schema(required = true)]
    pub resolved_by: Option<&'static str>,
    /// Who ended it, where somebody did.
    #[schema(required = true)]
    pub resolved_who: Option<String>,
    /// What they said, or why it ended.
    #[schema(required = true)]
    pub resolved_note: Option<String>,
    /// The alert that speaks for it.
    #[schema(required = true)]
    pub group: Option<u64>,
    /// All of its machines are worked on: nobody is told.
    pub in_maintenance: bool,
    /// When the next message is due.
    #[schema(required = true)]
    pub next_message_at: Option<String>,
    /// Messages so far.
    pub told: u32,
}

/// A machine of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertMachine {
    /// Its id.
    pub id: MachineId,
    /// Its name; empty when it has none or was removed.
    pub name: String,
    /// Its site.
    pub site: String,
}

/// A line of an alert's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryView {
    /// When.
    pub at: String,
    /// `began`, `fired`, `grouped`, `acknowledged`, `silenced`, `noted`, `told` or `resolved`.
    #[schema(value_type = String)]
    pub what: alerts::life::What,
    /// Who, where somebody did.
    pub who: String,
    /// What they said, or more of it.
    pub note: String,
}

/// A message to one person by one channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertDelivery)]
pub struct DeliveryView {
    /// Its number.
    pub id: u64,
    /// The alert; null for a digest.
    #[schema(required = true)]
    pub alert_id: Option<u64>,
    /// `first`, `repeat`, `escalation`, `resolved`, `hourly_digest`, `daily_digest` or `late_entries`.
    pub why: &'static str,
    /// A person's id.
    pub person: String,
    /// The channel's id.
    pub channel: String,
    /// The address there.
    pub to: String,
    /// `waiting`, `calling`, `sent`, `failed` or `held`.
    pub state: &'static str,
    /// When it was written.
    pub created_at: String,
    /// When it is tried next.
    pub next_at: String,
    /// When the provider took it.
    #[schema(required = true)]
    pub sent_at: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// Why it did not go.
    #[schema(required = true)]
    pub error: Option<String>,
    /// Its price in millionths of the account's currency.
    #[schema(required = true)]
    pub price_micros: Option<i64>,
    /// What kind of trouble.
    pub issue: String,
    /// Of which machines.
    pub machines: Vec<MachineId>,
    /// What, in words.
    pub facts: String,
}

/// Alerts as they are answered.
///
/// # Errors
/// The store failed.
pub fn views(store: &Store, alerts: Vec<Alert>, now: Micros) -> Result<Vec<AlertView>, StoreError> {
    let machines = store.machines()?.into_iter();
    let machines: HashMap<MachineId, Machine> = machines
        .map(|machine| (machine.id.clone(), machine))
        .collect();
    let maintenance = store.alerts().config()?.maintenance;
    let ids: Vec<u64> = alerts
        .iter()
        .flat_map(|alert| [Some(alert.id), alert.group])
        .flatten()
        .collect();
    let sent = store.alerts().first_sent(&ids)?;
    let beside = Beside {
        machines,
        maintenance,
        sent,
        now,
    };
    Ok(alerts.into_iter().map(|alert| beside.view(alert)).collect())
}

/// What is told of alerts beside themselves.
struct Beside {
    machines: HashMap<MachineId, Machine>,
    maintenance: Vec<Maintenance>,
    sent: HashMap<u64, Micros>,
    now: Micros,
}

impl Beside {
    fn view(&self, alert: Alert) -> AlertView {
        let sent = |id: u64| self.sent.get(&id).copied();
        let sent_at = sent(alert.id).or_else(|| alert.group.and_then(sent));
        let status = match (&alert.acknowledged, sent_at) {
            (Some(_), _) => "acknowledged",
            (None, Some(_)) => "sent",
            (None, None) => "pending",
        };
        let time = |at: Option<Micros>| at.map(Micros::to_rfc3339);
        let machine_id = alert.only_machine().cloned();
        let in_maintenance =
            alert.is_open() && alert.machines.iter().all(|id| self.is_worked_on(id));
        let taken = alert.acknowledged.as_ref();
        let over = alert.resolved.as_ref();
        let (kind, path) = match alert.kind {
            AlertKind::Machine => ("machine", None),
            AlertKind::Group => ("group", None),
            AlertKind::Path(Way::Wifi) => ("path", Some("wifi")),
            AlertKind::Path(Way::Cell) => ("path", Some("cell")),
            AlertKind::Path(Way::Any) => ("path", None),
        };
        AlertView {
            id: alert.id,
            machine_id,
            machines: alert.machines.iter().map(|id| self.machine(id)).collect(),
            severity: alert.severity.as_str(),
            status,
            phase: alert.phase.as_str(),
            kind,
            path,
            since: alert.since.to_rfc3339(),
            raised_at: alert.raised_at.to_rfc3339(),
            fired_at: time(alert.fired_at),
            last_at: alert.last_at.to_rfc3339(),
            count: alert.count,
            is_late: alert.is_late,
            sent_at: time(sent_at),
            acknowledged_at: time(taken.map(|taken| taken.at)),
            acknowledged_by: taken.map(|taken| taken.by.clone()),
            acknowledged_note: taken.map(|taken| taken.note.clone()),
            silenced_until: time(alert.silenced_until.filter(|until| *until > self.now)),
            resolved_at: time(over.map(|over| over.at)),
            resolved_by: over.map(|over| by(over.by)),
            resolved_who: over.map(|over| over.who.clone()),
            resolved_note: over.map(|over| over.note.clone()),
            group: alert.group,
            in_maintenance,
            next_message_at: time(alert.planned.iter().map(|planned| planned.due).min()),
            told: alert.told,
            log_id: alert.log_id,
            alert_type: alert.issue,
            rule_id: alert.rule,
            part: alert.part,
            facts: alert.facts,
        }
    }

    fn machine(&self, id: &MachineId) -> AlertMachine {
        let known = self.machines.get(id);
        AlertMachine {
            id: id.clone(),
            name: known
                .map(|machine| machine.name.clone())
                .unwrap_or_default(),
            site: known
                .map(|machine| machine.site.clone())
                .unwrap_or_default(),
        }
    }

    fn is_worked_on(&self, id: &MachineId) -> bool {
        self.maintenance
            .iter()
            .any(|window| window.covers(id, self.now))
    }
}

fn by(by: By) -> &'static str {
    match by {
        By::Itself => "itself",
        By::Hand => "hand",
        By::Visit => "visit",
        By::Configuration => "configuration",
    }
}

impl From<History> for HistoryView {
    fn from(line: History) -> HistoryView {
        HistoryView {
            at: line.at.to_rfc3339(),
            what: line.what,
            who: line.who,
            note: line.note,
        }
    }
}

impl From<Message> for DeliveryView {
    fn from(message: Message) -> DeliveryView {
        let outgoing = message.outgoing;
        DeliveryView {
            id: message.id,
            alert_id: outgoing.alert,
            why: super::alert_deliveries::why(outgoing.subject),
            person: outgoing.person,
            channel: outgoing.channel,
            to: outgoing.to,
            state: match message.state {
                MessageState::Waiting => "waiting",
                MessageState::Calling => "calling",
                MessageState::Sent => "sent",
                MessageState::Failed => "failed",
                MessageState::Held => "held",
            },
            created_at: message.created_at.to_rfc3339(),
            next_at: message.next_at.to_rfc3339(),
            sent_at: message.sent_at.map(Micros::to_rfc3339),
            tries: message.tries,
            error: message.error,
            price_micros: message.price_micros,
            issue: outgoing.issue,
            machines: outgoing.machines,
            facts: outgoing.facts,
        }
    }
}
