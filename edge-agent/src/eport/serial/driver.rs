//! Takes drops from the outbox and brings each to the reader in a window of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eport::{Failure, Goal, Outcome, TimeAndDate, UploadFile, UploadLayout};

use super::port::Refusal;
use super::session::{Led, Session, is_interrupted};
use super::watch::Watch;
use crate::clock;
use crate::eport::outbox::clean;
use crate::eport::{Offer, Outbox, ReaderFacts};

/// How often the reader is asked for signal and time.
const FACTS_EVERY: Duration = Duration::from_secs(3_600);
/// The same after it could not be asked.
const FACTS_AGAIN: Duration = Duration::from_secs(600);
/// How often it is asked for its serial number: it changes only when the reader is replaced.
const SERIAL_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// While a drop waits after a failure, the outbox is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where the reader is, and how it takes uploads.
#[derive(Debug, Clone)]
pub struct SerialSetup {
    /// The port, such as `/dev/ttyUSB0`, or a link to it.
    pub port: PathBuf,
    /// How it takes uploads.
    pub layout: UploadLayout,
    /// Nobody else may open the port while we have it. Off by default: a vending application that
    /// is refused its port sells nothing.
    pub is_exclusive: bool,
}

/// The driver.
#[derive(Debug)]
pub struct Driver {
    outbox: Arc<Outbox>,
    setup: SerialSetup,
    watch: Option<Watch>,
    facts_due: Instant,
    serial_due: Instant,
    /// The port itself failed in this window.
    has_failed: bool,
    /// What was said of trouble last, so that it is logged once.
    trouble: String,
}

impl Driver {
    /// A driver that has not opened anything yet.
    pub fn new(outbox: Arc<Outbox>, setup: SerialSetup) -> Driver {
        let now = Instant::now();
        Driver {
            outbox,
            setup,
            watch: None,
            facts_due: now,
            serial_due: now,
            has_failed: false,
            trouble: String::new(),
        }
    }

    /// Works until the outbox is closed.
    pub fn run(mut self) {
        while !self.outbox.is_closed() {
            if self.one_step() {
                continue;
            }
            let began = Instant::now();
            self.outbox
                .wait(self.facts_due.saturating_duration_since(began));
            let is_due = || self.outbox.peek(clock::since_boot_us()).is_some();
            let is_early = began.elapsed() < LOOK_AGAIN && began < self.facts_due;
            if is_early && !is_due() && !self.outbox.is_closed() {
                sleep(LOOK_AGAIN);
            }
        }
    }

    /// One window on the port, if something is to be sent or asked; whether there was.
    pub fn one_step(&mut self) -> bool {
        let offer = self.outbox.next(clock::since_boot_us());
        let wants_facts = Instant::now() >= self.facts_due;
        if offer.is_none() && !wants_facts {
            return false;
        }
        // Whatever happens, the next questions wait: a reader in trouble is not asked all the time.
        if wants_facts {
            self.facts_due = Instant::now() + FACTS_AGAIN;
        }
        self.window(offer.as_ref(), wants_facts);
        true
    }

    fn window(&mut self, offer: Option<&Offer>, wants_facts: bool) {
        let mut watch = match self.watch.take().filter(|watch| !watch.is_broken()) {
            Some(watch) => watch,
            None => match Watch::new(&self.setup.port) {
                Ok(watch) => watch,
                Err(error) => return self.refused(offer, Refusal::of(&self.setup.port, error)),
            },
        };
        self.has_failed = false;
        self.with_port(offer, wants_facts, &mut watch);
        // Our own descriptor is closed now, and that is in the count. A port that has failed may be
        // another one when it is back.
        watch.has_been_opened();
        self.watch = Some(watch).filter(|_| !self.has_failed);
    }

    fn with_port(&mut self, offer: Option<&Offer>, wants_facts: bool, watch: &mut Watch) {
        let setup = self.setup.clone();
        match Session::open(&setup.port, watch, &setup.layout, setup.is_exclusive) {
            Ok(mut session) => {
                let is_well = match offer {
                    Some(offer) => self.upload(offer, &mut session),
                    None => true,
                };
                if is_well && wants_facts && !session.is_wanted() {
                    self.ask(&mut session);
                }
            }
            Err(refusal) => self.refused(offer, refusal),
        }
    }

    /// Whether the reader can be talked to further.
    fn upload(&mut self, offer: &Offer, session: &mut Session<'_>) -> bool {
        let now_us = clock::since_boot_us();
        let file = match UploadFile::new(&offer.name, offer.data.as_bytes()) {
            Ok(file) => file,
            Err(error) => {
                tracing::error!(drop = offer.id, %error, "a drop is nothing for the reader");
                let facts = ReaderFacts::default();
                self.outbox
                    .failed(offer.id, &error.to_string(), facts, now_us);
                return true;
            }
        };
        let led = session.lead(Goal::Upload(file), || self.outbox.is_closed());
        let (outcome, has_offered) = match led {
            Ok(Led {
                outcome,
                has_offered,
            }) => (outcome, has_offered),
            Err((refusal, has_offered)) => {
                self.has_failed = true;
                self.failed(offer, &refusal.to_string(), has_offered, trouble(&refusal));
                return false;
            }
        };
        match outcome {
            Outcome::Uploaded => {
                self.is_well();
                tracing::info!(
                    drop = offer.id,
                    bytes = offer.data.len(),
                    "the reader took a drop"
                );
                self.outbox.sent(offer.id, well());
                true
            }
            Outcome::Failed(failure) => {
                self.failed(offer, &failure.to_string(), has_offered, about(&failure));
                !matches!(failure, Failure::Interrupted | Failure::Silent)
            }
            _ => false,
        }
    }

    /// `has_offered`: the reader was told of the file in this window.
    fn failed(&mut self, offer: &Offer, reason: &str, has_offered: bool, facts: ReaderFacts) {
        self.log(reason);
        let now_us = clock::since_boot_us();
        if has_offered {
            self.outbox.failed(offer.id, reason, facts, now_us);
        } else {
            self.outbox.given_back(offer.id, reason, facts, now_us);
        }
    }

    fn refused(&mut self, offer: Option<&Offer>, refusal: Refusal) {
        match offer {
            Some(offer) => self.failed(offer, &refusal.to_string(), false, trouble(&refusal)),
            None => {
                self.log(&refusal.to_string());
                self.outbox.tell(trouble(&refusal));
            }
        }
    }

    /// Asks for signal, time and, now and then, the serial number.
    fn ask(&mut self, session: &mut Session<'_>) {
        let mut facts = ReaderFacts::default();
        let mut goals = vec![Goal::Signal, Goal::Clock];
        if Instant::now() >= self.serial_due {
            goals.push(Goal::Identity);
        }
        for goal in goals {
            match session.lead(goal, || self.outbox.is_closed()) {
                Ok(led) if is_interrupted(&led.outcome) => return,
                Ok(led) => self.note(led.outcome, &mut facts),
                Err((refusal, _)) => {
                    self.has_failed = true;
                    self.log(&refusal.to_string());
                    self.outbox.tell(trouble(&refusal));
                    return;
                }
            }
        }
        self.outbox.tell(facts);
    }

    /// Takes what was answered.
    fn note(&mut self, outcome: Outcome, facts: &mut ReaderFacts) {
        match outcome {
            Outcome::Signal { rssi, ber } => {
                facts.signal_rssi = i32::try_from(rssi).ok();
                facts.signal_ber = i32::try_from(ber).ok();
                facts.state = well().state;
                facts.error = Some(String::new());
                self.facts_due = Instant::now() + FACTS_EVERY;
                self.is_well();
            }
            Outcome::Clock(time) => facts.time_offset_s = self.offset_s(&time),
            Outcome::Identity { serial_number, .. } => {
                facts.serial = Some(serial_number);
                self.serial_due = Instant::now() + SERIAL_EVERY;
            }
            Outcome::Failed(failure) => {
                let said = about(&failure);
                facts.state = said.state.or(facts.state.take());
                facts.error = said.error.or(facts.error.take());
                self.log(&failure.to_string());
            }
            Outcome::Uploaded => {}
        }
    }

    /// The reader's clock minus the machine's.
    fn offset_s(&self, time: &TimeAndDate) -> Option<i64> {
        let theirs = time.unix_seconds(self.setup.layout.date_order)?;
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(theirs - i64::try_from(ours).ok()?)
    }

    /// Trouble is logged when it begins and when it becomes another; it can last for weeks.
    fn log(&mut self, trouble: &str) {
        let trouble = clean(trouble);
        if self.trouble != trouble {
            tracing::warn!(port = %self.setup.port.display(), "nothing goes to the reader: {trouble}");
            self.trouble = trouble;
        }
    }

    fn is_well(&mut self) {
        if !std::mem::take(&mut self.trouble).is_empty() {
            tracing::info!(port = %self.setup.port.display(), "the reader takes drops again");
        }
    }
}

fn well() -> ReaderFacts {
    ReaderFacts {
        state: Some("idle".to_owned()),
        error: Some(String::new()),
        ..ReaderFacts::default()
    }
}

fn trouble(refusal: &Refusal) -> ReaderFacts {
    ReaderFacts {
        error: Some(refusal.to_string()),
        ..ReaderFacts::default()
    }
}

/// What a failure says of the reader.
fn about(failure: &Failure) -> ReaderFacts {
    let state = match failure {
        Failure::NotIdle(5) => "no cell connection yet",
        Failure::NotIdle(2 | 8 | 9) => "a sale",
        Failure::NotIdle(7) => "waits for a card",
        Failure::NotIdle(_) => "not idle",
        Failure::Cell(fault) => fault.name(),
        Failure::Silent => "silent",
        _ => "idle",
    };
    // A sale is no trouble, and what went wrong once is tried again.
    let is_trouble = matches!(
        failure,
        Failure::NotIdle(5 | 7) | Failure::Cell(_) | Failure::Silent | Failure::Refused(_)
    );
    ReaderFacts {
        state: Some(state.to_owned()),
        error: is_trouble.then(|| failure.to_string()),
        ..ReaderFacts::default()
    }
}
