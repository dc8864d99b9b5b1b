//! How times are taken: product and control in turn, medians, equal answers.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::control::Control;
use crate::data::Data;
use crate::product::Product;
use crate::questions::{Answer, Question, ensure_equal};

/// Turns: product, control, product, control, product.
const TURNS: usize = 5;
/// A turn asks again until so much time is spent ...
const TURN_TIME: Duration = Duration::from_millis(1_000);
/// ... or so often.
const TURN_REPEATS: usize = 25;

/// What taking the rows in cost.
pub struct Ingest {
    /// Wall-clock time.
    pub took: Duration,
    /// Processor time of the side that stores; the sender's is not in it.
    pub cpu: Duration,
    /// Bytes on disk afterwards, all files.
    pub bytes: u64,
    /// Median and 99th percentile of the time until a batch was durable.
    pub batch: (Duration, Duration),
    /// Rows of a batch.
    pub batch_rows: usize,
}

/// The two medians of one question.
pub struct Asked {
    /// The question's name.
    pub name: &'static str,
    /// Whether it is a panel of the dashboard.
    pub dashboard: bool,
    /// Rows or counts in the answer.
    pub size: usize,
    /// The product's median.
    pub product: Duration,
    /// The control's median.
    pub control: Duration,
}

/// Everything that was measured.
pub struct Comparison {
    /// The product, taking in.
    pub product_in: Ingest,
    /// The control, taking in.
    pub control_in: Ingest,
    /// The questions.
    pub answers: Vec<Asked>,
    /// Messages taken apart in a second, by one thread.
    pub splits_per_second: f64,
}

/// Asks both sides in turn. One unmeasured round checks that they answer the same.
pub fn alternate(
    question: &Question,
    product: &mut Product,
    control: &mut Control,
) -> Result<Asked> {
    let ours = product.ask(&question.ask)?.1;
    let theirs = control.ask(&question.ask)?.1;
    ensure_equal(question.name, &ours, &theirs)?;
    let size = match &ours {
        Answer::Rows(rows) => rows.len(),
        Answer::Counts(counts) => counts.len(),
    };
    ensure!(
        size > 0,
        "{}: an empty answer measures nothing",
        question.name
    );
    let (mut product_times, mut control_times) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        if turn % 2 == 0 {
            repeat(&mut product_times, || product.ask(&question.ask))?;
        } else {
            repeat(&mut control_times, || control.ask(&question.ask))?;
        }
    }
    Ok(Asked {
        name: question.name,
        dashboard: question.dashboard,
        size,
        product: median(&mut product_times),
        control: median(&mut control_times),
    })
}

fn repeat(
    times: &mut Vec<Duration>,
    mut ask: impl FnMut() -> Result<(Duration, Answer)>,
) -> Result<()> {
    let began = Instant::now();
    for _ in 0..TURN_REPEATS {
        times.push(ask()?.0);
        if began.elapsed() > TURN_TIME {
            break;
        }
    }
    Ok(())
}

/// Messages of which one thread makes template and parameters in a second.
pub fn splits_per_second(data: &Data) -> f64 {
    let began = Instant::now();
    let mut bytes = 0;
    for entry in data.machines.iter().flat_map(|(_, entries)| entries) {
        let split = wire::template::split(&entry.message);
        bytes += split.template.len() + wire::template::encode_params(&split.params).len();
    }
    std::hint::black_box(bytes);
    data.len() as f64 / began.elapsed().as_secs_f64()
}

/// The middle one.
pub fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}

/// The time that so many percent do not exceed; zero of none.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let place = times.len().saturating_sub(1) * percent / 100;
    times.get(place).copied().unwrap_or_default()
}
