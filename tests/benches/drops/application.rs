//! An application with 200 templates, none of them the simulated vending application's: what
//! machines of a foreign maker may say. Values are typed and drawn by chance; what happens comes in
//! no order that a codec could learn, which is harder than real logs.

use std::collections::HashMap;

use serde_json::Value;
use sim::rng::Rng;
use wire::{ClockState, Level, LogEntry, Micros};

/// The sentences: level, component, words with `{kind:range}` for a value, and after ` :: ` a
/// context.
const SENTENCES: &str = include_str!("sentences.txt");
/// Of so many sentences, in order of frequency, one is said by newer machines only.
const NEW_OF: usize = 10;
/// Numbers of fewer than so many are names rather than measurements: columns, tubes, codes.
const FEW: i64 = 50;
/// Products on sale, the same on all machines.
const PRODUCTS: u64 = 60;

/// One sentence of the application.
struct Sentence {
    level: Level,
    component: &'static str,
    words: &'static str,
    context: &'static str,
    /// How often, beside the others.
    weight: f64,
    /// Whether machines with the older program never say it.
    is_new: bool,
}

/// One machine that runs it.
pub struct Machine {
    sentences: Vec<Sentence>,
    /// The component that spoke last.
    part: &'static str,
    rng: Rng,
    now: Micros,
    seq: u64,
    mean_ms: f64,
    counters: u64,
    /// Where the measurements of this machine lie, from 0 to 1 within their range, by their words.
    normal: HashMap<&'static str, f64>,
}

/// How many sentences the application has, and how many of them are new.
pub fn size() -> (usize, usize) {
    let all = sentences();
    let new = all.iter().filter(|sentence| sentence.is_new).count();
    (all.len(), new)
}

impl Machine {
    /// A machine with so many entries an hour; an older one does not know the new sentences.
    pub fn new(seed: u64, start: Micros, per_hour: f64, is_older: bool) -> Machine {
        let mut rng = Rng::new(seed);
        let mut sentences = sentences();
        sentences.retain(|sentence| !(is_older && sentence.is_new));
        for sentence in &mut sentences {
            // No two machines stand at the same place.
            sentence.weight *= rng.between(25, 300) as f64 / 100.0;
        }
        Machine {
            part: sentences[0].component,
            sentences,
            now: start,
            seq: 0,
            mean_ms: 3_600_000.0 / per_hour,
            counters: rng.between(1_000, 900_000) as u64,
            normal: HashMap::new(),
            rng,
        }
    }

    /// What it says next.
    pub fn next_entry(&mut self) -> LogEntry {
        let unit = |rng: &mut Rng| (rng.between(1, 1_000_000) as f64) / 1e6;
        // A third comes close behind the entry before, and from the same part of the machine: what
        // happens is seldom told in one line.
        let follows = self.rng.chance(0.33);
        let wait = match follows {
            true => unit(&mut self.rng) * 900.0,
            false => -unit(&mut self.rng).ln() * self.mean_ms * 1.4,
        };
        let part = self.part;
        let fits = |sentence: &&Sentence| !follows || sentence.component == part;
        self.now = self.now.plus_us((wait * 1e3) as i64);
        self.seq += 1;
        let total: f64 = self.sentences.iter().filter(fits).map(|s| s.weight).sum();
        let mut at = unit(&mut self.rng) * total;
        let mut chosen = self.sentences.iter().filter(fits).skip_while(|sentence| {
            at -= sentence.weight;
            at > 0.0
        });
        let sentence = chosen.next().unwrap_or(&self.sentences[0]);
        self.part = sentence.component;
        let (level, component) = (sentence.level, sentence.component.to_owned());
        let (words, context) = (sentence.words, sentence.context);
        let message = self.filled(words);
        let context = match serde_json::from_str(&self.filled(context)) {
            Ok(Value::Object(context)) => context,
            _ => Default::default(),
        };
        LogEntry {
            seq: Some(self.seq),
            timestamp: self.now,
            level,
            component,
            message,
            context,
            clock: ClockState::Synced,
        }
    }

    fn filled(&mut self, words: &'static str) -> String {
        let mut text = String::new();
        let mut rest = words;
        while let Some(at) = rest.find('{') {
            let (before, hole) = rest.split_at(at);
            text.push_str(before);
            // A brace of JSON is followed by a quotation mark.
            let close = match hole[1..].starts_with('"') {
                true => None,
                false => hole.find('}'),
            };
            match close {
                Some(close) => {
                    let value = self.value(&hole[1..close]);
                    text.push_str(&value);
                    rest = &hole[close + 1..];
                }
                None => {
                    text.push('{');
                    rest = &hole[1..];
                }
            }
        }
        text + rest
    }

    /// A number of a range such as `-18.0--4.0`, with so many decimals. One of few is any of them;
    /// a measurement lies about where it normally does on this machine, give or take an eighth of
    /// the range.
    fn measured(&mut self, hole: &'static str, range: &str, decimals: u32) -> String {
        let split = range[1..].find('-').expect("a range") + 1;
        let scale = 10i64.pow(decimals);
        let parse = |n: &str| (n.parse::<f64>().expect("a number") * scale as f64).round() as i64;
        let (low, high) = (parse(&range[..split]), parse(&range[split + 1..]));
        let rng = &mut self.rng;
        let value = if high - low < FEW {
            rng.between(low, high)
        } else {
            let normal = *self
                .normal
                .entry(hole)
                .or_insert_with(|| rng.between(20, 80) as f64 / 100.0);
            let spread: i64 = (0..3).map(|_| rng.between(-1_000, 1_000)).sum();
            let at = normal + spread as f64 / 3_000.0 / 4.0;
            low + (at.clamp(0.0, 1.0) * (high - low) as f64).round() as i64
        };
        match decimals {
            0 => value.to_string(),
            _ => format!("{:.*}", decimals as usize, value as f64 / scale as f64),
        }
    }

    fn value(&mut self, hole: &'static str) -> String {
        let (kind, range) = hole.split_once(':').unwrap_or((hole, ""));
        if let Some(decimals) = ["i", "d1", "d2", "d3"].iter().position(|k| *k == kind) {
            return self.measured(hole, range, decimals as u32);
        }
        let rng = &mut self.rng;
        match kind {
            "m" => {
                let (low, high) = range.split_once('-').expect("a range of cents");
                let parse = |n: &str| n.parse::<i64>().expect("cents");
                let cents = rng.between(parse(low) / 5, parse(high) / 5) * 5;
                format!("${}.{:02}", cents / 100, cents % 100)
            }
            "w" => {
                let words: Vec<&str> = range.split(',').collect();
                words[rng.between(0, words.len() as i64 - 1) as usize].to_owned()
            }
            "h" => {
                let digits: usize = range.parse().expect("how many digits");
                format!("{:016x}", rng.next_u64())[16 - digits..].to_owned()
            }
            "u" => {
                let (a, b) = (rng.next_u64(), rng.next_u64());
                format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    a >> 32,
                    a >> 16 & 0xffff,
                    a & 0xfff,
                    b >> 52,
                    b & 0xffff_ffff_ffff
                )
            }
            "c" => {
                self.counters += rng.between(1, 9) as u64;
                self.counters.to_string()
            }
            "t" => format!("{:02}:{:02}", rng.between(0, 23), rng.between(0, 59)),
            "v" => format!("4.{}.{}", rng.between(8, 12), rng.between(0, 9)),
            "ip" => format!("10.20.{}.{}", rng.between(0, 3), rng.between(1, 254)),
            "ip4" => format!("10.0.0.{}", rng.between(2, 9)),
            "s" => {
                let product = rng.next_u64() % PRODUCTS;
                let maker = ["COLA", "LIME", "AQUA", "MINT", "NUTS", "CHOC"][product as usize % 6];
                format!("{maker}{}", 100 + product * 7)
            }
            other => panic!("the sentences have no kind \"{other}\""),
        }
    }
}

fn sentences() -> Vec<Sentence> {
    let mut all: Vec<Sentence> = SENTENCES.lines().map(sentence).collect();
    // How often each is said has nothing to do with its place in the file.
    let mut rng = Rng::new(200);
    for i in (1..all.len()).rev() {
        all.swap(i, rng.between(0, i as i64) as usize);
    }
    for (rank, sentence) in all.iter_mut().enumerate() {
        let of_level = match sentence.level {
            Level::Debug | Level::Info => 3.0,
            Level::Warn => 0.4,
            Level::Error => 0.15,
            Level::Critical => 0.02,
        };
        sentence.weight = of_level / (rank as f64 + 4.0);
        sentence.is_new = rank % NEW_OF == NEW_OF / 2;
    }
    all
}

fn sentence(line: &'static str) -> Sentence {
    let (level, rest) = line.split_once(' ').expect("a level");
    let (component, rest) = rest.split_once(' ').expect("a component");
    let (words, context) = rest.split_once(" :: ").unwrap_or((rest, ""));
    let level = match level {
        "D" => Level::Debug,
        "I" => Level::Info,
        "W" => Level::Warn,
        "E" => Level::Error,
        _ => Level::Critical,
    };
    Sentence {
        level,
        component,
        words,
        context,
        weight: 0.0,
        is_new: false,
    }
}
