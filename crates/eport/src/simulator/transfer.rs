//! Uploads at the simulated reader: it checks numbers and sizes, and takes a file whole or not at all.

use std::time::Duration;

use super::{FINISHED_MOST, Reader, SimEvent, State};
use crate::frame::Frame;
use crate::layout::{FILE_MAX_BYTES, FileReady};
use crate::response::{Fault, Response};

/// A file that the reader has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// As the kiosk named it.
    pub name: String,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A file on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    ready: FileReady,
    data: Vec<u8>,
    records: usize,
    /// STATUS says 12 from then on.
    ready_at: Duration,
    /// The server has everything then.
    done_at: Option<Duration>,
    /// The reader cancels before this record.
    cancels_before: Option<usize>,
}

impl Transfer {
    pub(super) fn response(&self) -> Response {
        if self.done_at.is_some() || self.ready_at > Duration::ZERO {
            Response::Busy
        } else {
            Response::ExpectingRecord
        }
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        self.done_at
            .or(Some(self.ready_at).filter(|at| *at > Duration::ZERO))
    }
}

impl Reader {
    pub(super) fn file_ready(&mut self, frame: &Frame, now: Duration) {
        let ready = match self.setup.layout.read_ready(frame) {
            Ok(ready) if self.may_upload() && is_possible(&ready) => ready,
            _ => {
                self.end_transfer("out of sequence");
                return self.out_of_sequence(frame.code);
            }
        };
        self.event(SimEvent::UploadBegan {
            name: ready.name.clone(),
            size_bytes: ready.size_bytes,
        });
        let cancels = self.rng.chance(self.setup.faults.cancel);
        let last = u64::from(ready.records_total).saturating_sub(1);
        self.transfer = Some(Transfer {
            cancels_before: cancels.then(|| self.rng.up_to(last) as usize),
            ready,
            data: Vec::new(),
            records: 0,
            ready_at: now + self.setup.ready_delay,
            done_at: None,
        });
    }

    fn may_upload(&self) -> bool {
        self.transfer.is_none() && matches!(self.state, State::Ok | State::Disabled)
    }

    pub(super) fn file_record(&mut self, frame: &Frame, now: Duration) {
        let is_right = match (&mut self.transfer, self.setup.layout.read_record(frame)) {
            (Some(transfer), Ok((number, data))) => {
                let expected = self.setup.layout.record_number(transfer.records);
                let is_right = transfer.ready_at.is_zero()
                    && transfer.done_at.is_none()
                    && number.is_none_or(|number| number == expected)
                    && data.len() == record_size(&transfer.ready, transfer.records);
                transfer.data.extend_from_slice(&data);
                transfer.records += 1;
                is_right
            }
            _ => false,
        };
        let Some(transfer) = self.transfer.as_mut().filter(|_| is_right) else {
            self.end_transfer("out of sequence");
            return self.out_of_sequence(frame.code);
        };
        if transfer.records == transfer.ready.records_total as usize {
            transfer.done_at = Some(now + self.setup.server_delay);
        } else if transfer.cancels_before == Some(transfer.records) {
            self.end_transfer("cancelled by the reader");
            self.pending = Some(Response::CancelFileTransfer);
        }
    }

    pub(super) fn go_on_with_transfer(&mut self, now: Duration) {
        let Some(transfer) = &mut self.transfer else {
            return;
        };
        if transfer.ready_at <= now {
            transfer.ready_at = Duration::ZERO;
            if transfer.cancels_before == Some(0) {
                self.end_transfer("cancelled by the reader");
                self.pending = Some(Response::CancelFileTransfer);
                return;
            }
        }
        if transfer.done_at.is_none_or(|at| at > now) {
            return;
        }
        if self.rng.chance(self.setup.faults.cell) {
            let faults = [Fault::Network, Fault::Modem, Fault::Server];
            let fault = faults[self.rng.up_to(2) as usize];
            self.end_transfer(fault.name());
            self.pending = Some(Response::Fault(fault));
        } else {
            self.upload_done();
        }
    }

    fn upload_done(&mut self) {
        let Some(transfer) = self.transfer.take() else {
            return;
        };
        self.event(SimEvent::UploadDone {
            name: transfer.ready.name.clone(),
            size_bytes: transfer.ready.size_bytes,
        });
        if self.finished.len() == FINISHED_MOST {
            self.finished.pop_front();
        }
        self.finished.push_back(Uploaded {
            name: transfer.ready.name,
            data: transfer.data,
        });
    }

    pub(super) fn end_transfer(&mut self, reason: &'static str) {
        if let Some(transfer) = self.transfer.take() {
            self.event(SimEvent::UploadFailed {
                name: transfer.ready.name,
                reason,
            });
        }
    }
}

/// What the sizes of command 24 must be to make sense together.
fn is_possible(ready: &FileReady) -> bool {
    let size = ready.size_bytes as usize;
    (1..=FILE_MAX_BYTES).contains(&size)
        && ready.record_bytes > 0
        && ready.records_total == ready.size_bytes.div_ceil(ready.record_bytes)
}

/// The bytes of the record at `index`, counted from 0: all alike, the last one the rest.
fn record_size(ready: &FileReady, index: usize) -> usize {
    let before = index * ready.record_bytes as usize;
    (ready.size_bytes as usize)
        .saturating_sub(before)
        .min(ready.record_bytes as usize)
}
