//! Sends entries once more that the server asks for: what the spool still has, then what stands in
//! the local file. The server knows by epoch and seq what it has already.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;
use wire::MachineId;
use wire::care::{RESEND_MAX_ENTRIES, ResendRequest, Resent};

use crate::clock::Repairs;
use crate::config::Local;
use crate::local_file;
use crate::spool::SpoolReader;
use crate::wifi::{Failure, Link};

/// The most entries of one request.
const BATCH_ENTRIES: usize = 500;
/// The most bytes of one request before compression; one entry always fits.
const BATCH_BYTES: usize = 1024 * 1024;
/// Requests that are known at once; the server asks again for those beyond.
const REQUESTS_MAX: usize = 16;

/// What is to be sent again, and what has been.
#[derive(Default)]
pub struct Resends {
    inner: RefCell<Inner>,
    asked: Notify,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<ResendRequest>,
    /// Being sent.
    at_work: Option<u64>,
    /// Done, and not reported in a heartbeat that arrived.
    done: Vec<Resent>,
}

impl Resends {
    /// Takes note of what the server asks for; what is known is not noted twice.
    pub fn ask(&self, requests: &[ResendRequest]) {
        let mut inner = self.inner.borrow_mut();
        for request in requests {
            let id = request.id;
            let is_known = inner.at_work == Some(id)
                || inner.waiting.iter().any(|known| known.id == id)
                || inner.done.iter().any(|known| known.id == id);
            if !is_known && inner.waiting.len() + inner.done.len() < REQUESTS_MAX {
                inner.waiting.push_back(*request);
                self.asked.notify_one();
            }
        }
    }

    /// What heartbeats have to report.
    pub fn done(&self) -> Vec<Resent> {
        self.inner.borrow().done.clone()
    }

    /// A heartbeat with these reports has arrived.
    pub fn reported(&self, reports: &[Resent]) {
        let is_new = |done: &Resent| reports.iter().all(|report| report.id != done.id);
        self.inner.borrow_mut().done.retain(is_new);
    }

    async fn next(&self) -> ResendRequest {
        loop {
            {
                let mut inner = self.inner.borrow_mut();
                if let Some(request) = inner.waiting.pop_front() {
                    inner.at_work = Some(request.id);
                    return request;
                }
            }
            self.asked.notified().await;
        }
    }

    /// `None`: it did not work, and the server will ask again.
    fn finished(&self, resent: Option<Resent>) {
        let mut inner = self.inner.borrow_mut();
        inner.at_work = None;
        inner.done.extend(resent);
    }
}

/// Works on the requests, one after the other.
pub struct Resender {
    /// Who speaks.
    pub machine_id: MachineId,
    /// The epoch of the spool.
    pub epoch: u64,
    /// The spool.
    pub reader: SpoolReader,
    /// The local file.
    pub local: Local,
    /// The way to the server.
    pub link: Rc<Link>,
    /// What tells with which time an entry was offered before.
    pub repairs: Arc<Repairs>,
    /// What is to be done.
    pub resends: Rc<Resends>,
}

impl Resender {
    /// Works for ever.
    pub async fn run(&mut self) {
        loop {
            let request = self.resends.next().await;
            let resent = match self.resend(&request).await {
                Ok(resent) => {
                    tracing::info!(?request, ?resent, "sent again what the server asked for");
                    Some(resent)
                }
                Err(why) => {
                    tracing::warn!(
                        ?request,
                        why,
                        "cannot send again; the server will ask again"
                    );
                    None
                }
            };
            self.resends.finished(resent);
        }
    }

    async fn resend(&mut self, request: &ResendRequest) -> Result<Resent, String> {
        let count = request.to.saturating_sub(request.from).saturating_add(1);
        if request.from > request.to || count > RESEND_MAX_ENTRIES {
            return Ok(Resent {
                id: request.id,
                found: 0,
                missing: count,
            });
        }
        let mut wanted: BTreeSet<u64> = (request.from..=request.to).collect();
        let mut found = 0;
        if request.epoch == self.epoch {
            self.reader.seek(request.from.saturating_sub(1));
            loop {
                let batch = self.in_spool(&wanted).map_err(words)?;
                if batch.is_empty() {
                    break;
                }
                wanted.retain(|seq| !batch.contains_key(seq));
                found += self.send(request.epoch, batch).await?;
            }
        }
        while !wanted.is_empty() {
            let batch = self.in_local_file(request.epoch, wanted.clone()).await?;
            if batch.is_empty() {
                break;
            }
            wanted.retain(|seq| !batch.contains_key(seq));
            found += self.send(request.epoch, batch).await?;
        }
        Ok(Resent {
            id: request.id,
            found,
            missing: count - found,
        })
    }

    fn in_spool(&mut self, wanted: &BTreeSet<u64>) -> io::Result<BTreeMap<u64, String>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let Some(&last) = wanted.last() else {
            return Ok(BTreeMap::new());
        };
        while batch.len() < BATCH_ENTRIES && bytes < BATCH_BYTES && self.reader.position() < last {
            let Some(stored) = self.reader.next_entry()? else {
                break;
            };
            if wanted.contains(&stored.seq) {
                bytes += stored.json.len();
                batch.push(stored);
            }
        }
        self.repairs.settle(&mut batch);
        let batch = batch.into_iter();
        Ok(batch.map(|stored| (stored.seq, stored.json)).collect())
    }

    async fn in_local_file(
        &self,
        epoch: u64,
        wanted: BTreeSet<u64>,
    ) -> Result<BTreeMap<u64, String>, String> {
        let (local, machine_id) = (self.local.clone(), self.machine_id.clone());
        // Up to 50 MB are read through: the shippers and the heartbeat go on meanwhile.
        let find = move || {
            let (entries, bytes) = (BATCH_ENTRIES, BATCH_BYTES);
            local_file::find(&local, &machine_id, epoch, &wanted, entries, bytes)
        };
        match tokio::task::spawn_blocking(find).await {
            Ok(found) => {
                let mut found = found.map_err(words)?;
                for (seq, json) in &mut found {
                    self.repairs.as_offered(epoch, *seq, json);
                }
                Ok(found)
            }
            Err(error) => Err(format!("the local file cannot be read: {error}")),
        }
    }

    /// How many the server has now. One that it refuses does not keep the others back.
    async fn send(&self, epoch: u64, batch: BTreeMap<u64, String>) -> Result<u64, String> {
        let mut taken = 0;
        let mut parts = vec![batch.into_values().collect::<Vec<String>>()];
        while let Some(mut part) = parts.pop() {
            self.link.ready().await;
            match self.link.logs(&self.body(epoch, &part)).await {
                Ok(answer) => taken += (part.len() - answer.rejected.len().min(part.len())) as u64,
                Err(Failure::Refused { .. }) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(Failure::Refused { .. }) => {}
                Err(Failure::Retry { why, .. } | Failure::Hold { why, .. }) => return Err(why),
            }
        }
        Ok(taken)
    }

    fn body(&self, epoch: u64, entries: &[String]) -> Vec<u8> {
        let logs = entries.join(",");
        let machine = &self.machine_id;
        format!("{{\"machine_id\":\"{machine}\",\"epoch\":{epoch},\"logs\":[{logs}]}}").into_bytes()
    }
}

fn words(error: io::Error) -> String {
    error.to_string()
}
