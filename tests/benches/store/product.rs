//! The product: the real server, release build, over HTTPS with connections kept open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tests::api::encoded;
use tests::binaries::binary;
use tests::{Process, process, wait};
use tokio::runtime::Runtime;
use wire::time::HOUR_US;
use wire::{Batch, Micros};

use crate::data::Data;
use crate::measure::{Ingest, median, percentile};
use crate::questions::{Answer, Ask, Filter, PAGE_ROWS, Row};

/// Rows of a batch, as a bulk shipper sends them.
pub const BATCH_ROWS: usize = 1_000;
/// Machines that post at the same time.
const SENDERS: usize = 8;

/// A running server and its clients.
pub struct Product {
    program: PathBuf,
    folder: PathBuf,
    process: Process,
    client: reqwest::Client,
    url: String,
    token: String,
    runtime: Runtime,
}

impl Product {
    /// Starts the server on a new store in `folder`.
    pub fn start(folder: &Path) -> Result<Product> {
        std::fs::create_dir_all(folder)?;
        let program = binary("vendlog-server");
        let (process, url, pin) = launch(&program, folder)?;
        let words = ["token", "add", "bench", "--role", "manager"];
        let token = process::run(command(&program, folder, &words)).json()["token"]
            .as_str()
            .context("the server made no token")?
            .to_owned();
        Ok(Product {
            client: sim::pinned::client(&pin)?,
            runtime: Runtime::new()?,
            folder: folder.to_owned(),
            program,
            process,
            url,
            token,
        })
    }

    /// Adds every machine through the command line; their keys in the same order.
    pub fn register(&self, data: &Data) -> Result<Vec<String>> {
        let add = |id: &str| -> Result<String> {
            let words = ["machine", "add", id];
            let answer = process::run(command(&self.program, &self.folder, &words)).json();
            Ok(answer["api_key"]
                .as_str()
                .context("the server made no key")?
                .to_owned())
        };
        data.machines
            .iter()
            .map(|(id, _)| add(id.as_str()))
            .collect()
    }

    /// Posts every batch and waits until the last is answered, which is when it is durable. The
    /// bodies are made before the clock runs. The bytes are not known before a [`Product::restart`].
    pub fn ingest(&mut self, data: &Data, keys: &[String]) -> Result<Ingest> {
        let mut queues: Vec<Vec<(usize, String, Vec<u8>)>> = vec![Vec::new(); SENDERS];
        for (machine, entries) in data.batches(BATCH_ROWS) {
            let index = data
                .machines
                .iter()
                .position(|(id, _)| id == machine)
                .unwrap_or(0);
            let batch = Batch {
                machine_id: machine.clone(),
                epoch: Some(1),
                logs: entries.to_vec(),
            };
            let body = serde_json::to_vec(&batch)?;
            queues[index % SENDERS].push((entries.len(), keys[index].clone(), body));
        }
        let (began, cpu) = (Instant::now(), self.cpu()?);
        let mut batches = self.runtime.block_on(async {
            let mut senders = tokio::task::JoinSet::new();
            for queue in queues {
                senders.spawn(send(
                    self.client.clone(),
                    format!("{}/api/logs", self.url),
                    queue,
                ));
            }
            let mut times = Vec::new();
            while let Some(sent) = senders.join_next().await {
                times.extend(sent??);
            }
            anyhow::Ok(times)
        })?;
        let (took, cpu) = (began.elapsed(), self.cpu()? - cpu);
        Ok(Ingest {
            took,
            cpu,
            bytes: 0,
            batch: (median(&mut batches), percentile(&mut batches, 99)),
            batch_rows: BATCH_ROWS,
        })
    }

    /// Entries stored.
    pub fn total(&mut self) -> Result<u64> {
        let (_, info) = self.get("/api/info")?;
        info["total_entries"]
            .as_u64()
            .context("/api/info has no total_entries")
    }

    /// Ends the server, gives the bytes of all its files, and starts it again: the questions find
    /// a server that was just started.
    pub fn restart(&mut self) -> Result<u64> {
        let status = self.process.terminate(wait::seconds(60));
        ensure!(status.success(), "the server ended with {status}");
        let bytes = size(&self.folder.join("data"))?;
        let pin;
        (self.process, self.url, pin) = launch(&self.program, &self.folder)?;
        self.client = sim::pinned::client(&pin)?;
        Ok(bytes)
    }

    /// Asks, and takes the time until the last byte of the answer is here.
    pub fn ask(&mut self, ask: &Ask) -> Result<(Duration, Answer)> {
        match ask {
            Ask::Page(filter) => self.page(filter),
            Ask::Status => {
                let (took, answer) = self.get("/api/machines")?;
                Ok((took, Answer::Counts(status_counts(&answer)?)))
            }
            Ask::Histogram { from, to } => {
                let from = encoded(&from.to_rfc3339());
                let to = encoded(&to.to_rfc3339());
                let path = format!("/api/logs/histogram?from={from}&to={to}&bins=24");
                let (took, answer) = self.get(&path)?;
                ensure!(
                    answer["exact"] == true,
                    "the histogram is not exact: {answer}"
                );
                Ok((took, Answer::Counts(histogram_counts(&answer)?)))
            }
        }
    }

    /// A page, and the pages after it while a search has not come to its end.
    fn page(&mut self, filter: &Filter) -> Result<(Duration, Answer)> {
        let mut path = format!("/api/logs?limit={PAGE_ROWS}");
        if let Some(machine) = &filter.machine {
            path += &format!("&machine={machine}");
        }
        if filter.errors {
            path += "&level=ERROR";
        }
        if let Some(word) = &filter.word {
            path += &format!("&q={}", encoded(word));
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut took = Duration::ZERO;
        let mut cursor = String::new();
        loop {
            let (time, answer) = self.get(&format!("{path}{cursor}"))?;
            took += time;
            for entry in answer["entries"].as_array().context("no entries")? {
                let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                let rest = ["machine_id", "level", "component", "message"].map(text);
                rows.push(Row {
                    timestamp: text("timestamp"),
                    rest,
                });
            }
            match answer["next"].as_str() {
                Some(next) if rows.len() < PAGE_ROWS => {
                    cursor = format!("&cursor={}", encoded(next));
                }
                _ => break,
            }
        }
        rows.truncate(PAGE_ROWS);
        Ok((took, Answer::Rows(rows)))
    }

    fn get(&self, path: &str) -> Result<(Duration, Value)> {
        let request = self
            .client
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let began = Instant::now();
        let (status, body) = self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status();
            anyhow::Ok((status, answer.bytes().await?))
        })?;
        let took = began.elapsed();
        ensure!(
            status.is_success(),
            "GET {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok((took, serde_json::from_slice(&body)?))
    }

    /// Processor time of the server so far, of all its threads.
    fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let after_name = stat.rsplit_once(") ").context("no process state")?.1;
        let ticks: u64 = after_name
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap_or_default())
            .sum();
        // SAFETY: sysconf reads a constant of the system and takes no memory of ours.
        let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
    }
}

async fn send(
    client: reqwest::Client,
    url: String,
    queue: Vec<(usize, String, Vec<u8>)>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for (rows, key, body) in queue {
        let request = client
            .post(&url)
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(body);
        let began = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let answer = answer.bytes().await?;
        times.push(began.elapsed());
        let taken: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if !status.is_success() || taken["accepted"] != rows {
            bail!(
                "POST /api/logs: {status} {}",
                String::from_utf8_lossy(&answer)
            );
        }
    }
    Ok(times)
}

/// `machine hour` -> counts, from the 24 arrays that `/api/machines` has of each machine.
fn status_counts(answer: &Value) -> Result<BTreeMap<String, [u64; 5]>> {
    let as_of = Micros::parse_rfc3339(answer["as_of"].as_str().context("no as_of")?)?;
    let first = as_of.0 / HOUR_US * HOUR_US - 23 * HOUR_US;
    let mut counts = BTreeMap::new();
    for machine in answer["machines"].as_array().context("no machines")? {
        let id = machine["machine_id"].as_str().context("no machine_id")?;
        for (n, hour) in machine["hours"]
            .as_array()
            .context("no hours")?
            .iter()
            .enumerate()
        {
            let start = Micros(first + n as i64 * HOUR_US).to_rfc3339();
            add(&mut counts, format!("{id} {}", &start[..13]), hour);
        }
    }
    Ok(counts)
}

fn histogram_counts(answer: &Value) -> Result<BTreeMap<String, [u64; 5]>> {
    let from = Micros::parse_rfc3339(answer["from"].as_str().context("no from")?)?;
    let step_ms = answer["step_ms"].as_i64().context("no step_ms")?;
    let mut counts = BTreeMap::new();
    for (n, bin) in answer["bins"]
        .as_array()
        .context("no bins")?
        .iter()
        .enumerate()
    {
        let start = from.plus_us(n as i64 * step_ms * 1_000).to_rfc3339();
        add(&mut counts, start[..13].to_owned(), bin);
    }
    Ok(counts)
}

fn add(counts: &mut BTreeMap<String, [u64; 5]>, name: String, levels: &Value) {
    let level = |n: usize| levels[n].as_u64().unwrap_or_default();
    let more = [level(0), level(1), level(2), level(3), level(4)];
    if more != [0; 5] {
        let sum = counts.entry(name).or_default();
        sum.iter_mut()
            .zip(more)
            .for_each(|(sum, more)| *sum += more);
    }
}

fn command(program: &Path, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).arg("--data").arg(folder.join("data"));
    command.arg("--key-file").arg(folder.join("store.key"));
    command
}

fn launch(program: &Path, folder: &Path) -> Result<(Process, String, String)> {
    let command = command(program, folder, &["--listen", "127.0.0.1:0"]);
    let mut process = Process::start(command, folder);
    let line = process.line();
    let line = line.with_context(|| format!("the server said: {}", process.messages()))?;
    let ready: Value = serde_json::from_str(&line)?;
    let text = |name: &str| {
        ready[name]
            .as_str()
            .map(str::to_owned)
            .context("no ready line")
    };
    Ok((process, text("url")?, text("pin")?))
}

/// Bytes of all files in a folder and below.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for item in std::fs::read_dir(folder)? {
        let item = item?;
        let kind = item.file_type()?;
        if kind.is_dir() {
            bytes += size(&item.path())?;
        } else if kind.is_file() {
            bytes += item.metadata()?.len();
        }
    }
    Ok(bytes)
}
