//! A kiosk and a reader on one line, and the time that passes between them.

use std::time::Duration;

use eport::simulator::{Reader, SimEvent, Uploaded};
use eport::{Goal, Kiosk, Outcome, Step, UploadFile, UploadLayout};

/// No dialogue may take longer, whatever happens.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn file(size: usize) -> Vec<u8> {
    let text = b"VM001|0122-1430|C|payment|Transaction result failed <&>|{\"n\":1}\n";
    text.iter().copied().cycle().take(size).collect()
}

pub fn upload(name: &str, data: &[u8]) -> Goal {
    Goal::Upload(UploadFile::new(name, data).expect("a file"))
}

/// How a dialogue went.
#[derive(Debug)]
pub struct Went {
    pub outcome: Outcome,
    /// When it was over.
    pub over: Duration,
    /// The codes of the commands that the reader took.
    pub commands: Vec<u8>,
    pub uploads: Vec<Uploaded>,
    /// An answer that belongs to the application.
    pub foreign: Option<eport::Frame>,
}

/// Leads a dialogue to its end; at `interrupt` the application wants the reader.
pub fn lead(
    reader: &mut Reader,
    (goal, layout): (Goal, &UploadLayout),
    start: Duration,
    interrupt: Option<Duration>,
) -> Went {
    let mut now = start;
    let mut kiosk = Kiosk::new(goal, layout.clone(), now);
    let outcome = loop {
        if interrupt.is_some_and(|at| now >= at) {
            kiosk.interrupt();
        }
        let until = match kiosk.step(now) {
            Step::Write(bytes) => {
                reader.receive(&bytes, now);
                continue;
            }
            Step::Wait(until) => until,
            Step::Done(outcome) => break outcome,
        };
        assert!(until > now, "waiting must be for something to come");
        assert!(now < start + ENDS_WITHIN, "it does not end");
        let next = reader.next_due().filter(|due| *due > now);
        let interrupt = interrupt.filter(|at| *at > now);
        now = [Some(until), next, interrupt]
            .into_iter()
            .flatten()
            .min()
            .expect("a time");
        let heard = reader.run(now);
        kiosk.feed(&heard, now);
    };
    let mut commands = Vec::new();
    while let Some(event) = reader.take_event() {
        if let SimEvent::Command { code } = event {
            commands.push(code);
        }
    }
    Went {
        outcome,
        over: now,
        commands,
        uploads: std::iter::from_fn(|| reader.take_upload()).collect(),
        foreign: kiosk.take_foreign(),
    }
}

/// What the application hears when it asks STATUS by itself, as raw bytes.
pub fn ask(reader: &mut Reader, now: Duration) -> Vec<u8> {
    reader.receive(b"1\r", now);
    reader.run(now + ms(200))
}
