//! `dictionary train|add|list`: what drops are packed with.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use axum::http::Method;
use clap::{Args, Subcommand};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use wire::drops::dictionary::Sample;

use super::DataArgs;
use super::backend::{Backend, with};
use crate::drops::train::{SAMPLES_MAX, Trained, from_samples};

/// What to do with dictionaries.
#[derive(Subcommand)]
pub enum DictionaryCommand {
    /// Make a dictionary from stored logs or from a file of them; prints
    /// {"id","size_bytes","memory_bytes","entries","templates"}.
    Train(TrainArgs),
    /// Bring a dictionary as a file: drops that wait for it are read.
    Add(AddArgs),
    /// Print every dictionary.
    List(DataArgs),
}

/// What to train from, and where to write it.
#[derive(Args)]
pub struct TrainArgs {
    /// Entries as NDJSON, as `logs dump` prints them.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "data",
        conflicts_with = "data"
    )]
    from: Option<PathBuf>,
    /// Where to write the dictionary.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The directory of the store whose entries to train from.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The file of the key that opens it [default: store.key in the configuration directory].
    #[arg(long, value_name = "FILE", requires = "data")]
    key_file: Option<PathBuf>,
}

/// A dictionary to bring.
#[derive(Args)]
pub struct AddArgs {
    /// The dictionary.
    file: PathBuf,
    /// Give it to agents from now on, with the answers to their heartbeats.
    #[arg(long)]
    current: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs it.
pub async fn run(command: DictionaryCommand) -> anyhow::Result<()> {
    let answer = match command {
        DictionaryCommand::Train(args) => train(args).await?,
        DictionaryCommand::Add(args) => add(args).await?,
        DictionaryCommand::List(data) => {
            let backend = Backend::open(&data).await?;
            with(backend, async |api| {
                api.json(Method::GET, "/api/dictionaries", None).await
            })
            .await?
        }
    };
    println!("{answer}");
    Ok(())
}

async fn train(args: TrainArgs) -> anyhow::Result<Value> {
    let samples = match (&args.from, &args.data) {
        (Some(file), _) => read_file(file)?,
        (None, Some(data)) => {
            let data = DataArgs {
                data: data.clone(),
                key_file: args.key_file.clone(),
            };
            read_stored(&data).await?
        }
        (None, None) => bail!("say what to train from: --from FILE, or --data DIR"),
    };
    if samples.is_empty() {
        bail!("there are no entries to train from");
    }
    let trained = from_samples(samples).await;
    let Trained {
        dictionary,
        entries,
    } = trained.map_err(|error| anyhow::anyhow!("{}", error.message()))?;
    let out = args.out.display();
    fs::write(&args.out, dictionary.to_bytes()).with_context(|| format!("cannot write {out}"))?;
    Ok(json!({
        "id": dictionary.id(),
        "size_bytes": dictionary.to_bytes().len(),
        "memory_bytes": dictionary.memory_bytes(),
        "entries": entries,
        "templates": dictionary.templates().count(),
    }))
}

/// The entries of a file; a line that is none is an error with its number.
fn read_file(path: &Path) -> anyhow::Result<Vec<Sample>> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let mut samples = Samples::default();
    for (at, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {name}"))?;
        samples
            .add(&line)
            .with_context(|| format!("{name}, line {}", at + 1))?;
    }
    Ok(samples.0)
}

/// The entries of a store, as `logs dump` gives them: those that go by cell, then the others.
async fn read_stored(data: &DataArgs) -> anyhow::Result<Vec<Sample>> {
    let backend = Backend::open(data).await?;
    with(backend, async |api| {
        let mut samples = Samples::default();
        let path = "/api/logs/export?format=ndjson&order=desc";
        let mut body = api.call(Method::GET, path, None).await?.into_body();
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.context("reading the stored entries broke off")?;
            rest.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
                continue;
            };
            for line in rest[..end].lines() {
                samples.add(&line?)?;
            }
            rest.drain(..=end);
            if samples.0.len() >= SAMPLES_MAX {
                break;
            }
        }
        // They came newest first; a machine's entries are to stand in order.
        samples.0.reverse();
        Ok(samples.0)
    })
    .await
}

/// Entries, up to as many as are looked at.
#[derive(Default)]
struct Samples(Vec<Sample>);

impl Samples {
    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        if self.0.len() < SAMPLES_MAX && !line.trim().is_empty() {
            self.0.push(Sample::from_json(line)?);
        }
        Ok(())
    }
}

async fn add(args: AddArgs) -> anyhow::Result<Value> {
    let name = args.file.display();
    let bytes = fs::read(&args.file).with_context(|| format!("cannot read {name}"))?;
    let path = format!("/api/dictionaries?current={}", args.current);
    let backend = Backend::open(&args.data).await?;
    with(backend, async |api| {
        api.send(Method::POST, &path, bytes).await
    })
    .await
}
