//! Everything that is guessed about a file upload, in one replaceable type with its configuration.
//! **Tested on a simulator only**: the vendor's manual, which says how it really is, is not public.
//!
//! What public programs do say: the commands and states exist under these numbers and names (24
//! FILE_READY_FOR_UPLOAD, 25 FILE_RECORD, 12 XPCTNG_RECORD_UPLOAD, 8 TERMINATE_FILE_TRANSFER, 13
//! CANCEL_FILE_XFER), files have up to 900 bytes of ASCII text, and commands 20 to 26 carry a CRC.
//! The fields of response 11, a file for the kiosk, are named; those of 24 are taken to mirror them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::DateOrder;
use crate::fields::{Malformed, Reading};
use crate::frame::Frame;

/// The most bytes a file may have, as one public program says.
pub const FILE_MAX_BYTES: usize = 900;
/// Longer file names are refused: response 11 and the server's own names are far shorter.
pub const NAME_MAX_BYTES: usize = 64;

/// Codes of the two upload commands.
const FILE_READY: u8 = 24;
const FILE_RECORD: u8 = 25;

/// The most data bytes in a record: it is 0.15 s on the wire, and a program that wants the port while
/// one is under way has it within 0.3 s, the reader's answer included.
pub const RECORD_MAX_BYTES: u64 = 128;

/// A field of command 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadyField {
    /// The file's name.
    Name,
    /// [`UploadLayout::file_type`].
    Type,
    /// Its bytes.
    Size,
    /// How many records follow.
    RecordsTotal,
    /// The bytes of every record but the last.
    RecordSize,
}

/// A field of command 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordField {
    /// The record's number.
    Number,
    /// A piece of the file.
    Data,
}

/// How a file is uploaded. Every field is a guess unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadLayout {
    /// The fields of command 24, in order.
    pub ready_fields: Vec<ReadyField>,
    /// The fields of command 25, in order.
    pub record_fields: Vec<RecordField>,
    /// What the type field of command 24 says.
    pub file_type: String,
    /// Data bytes in a record, 1 to 128. A record cannot be interrupted: 96 of them with all around are 0.12 s
    /// on the wire, so that a sale gets the reader within 0.3 s at any moment of an upload.
    pub record_bytes: usize,
    /// The number of the first record.
    pub first_record: u32,
    /// Whether 24 and 25 carry a CRC; one public program says so.
    pub has_crc: bool,
    /// Whether STATUS must say 12 again before each further record.
    pub polls_between_records: bool,
    /// Statuses in which an upload may begin. 0 and 6: in 7 a customer may be about to swipe; 2, 8 and
    /// 9 are a sale. No other number is accepted here.
    pub begins_in: Vec<u8>,
    /// Statuses that say that the reader has taken the file.
    pub done_in: Vec<u8>,
    /// So many equal answers in a row settle that the reader is idle, or done: an answer without
    /// fields carries no CRC, and one flipped bit makes a 6 of a 7.
    pub confirmations: u32,
    /// How long an ACK may take, beyond the wire; one public program says 10 ms, USB adds 16.
    pub ack_timeout_ms: u64,
    /// How long the answer to STATUS may take, beyond the wire.
    pub answer_timeout_ms: u64,
    /// Between two STATUS while waiting.
    pub poll_interval_ms: u64,
    /// From the first STATUS until the reader is known to be idle.
    pub idle_timeout_ms: u64,
    /// From the ACK of 24 until STATUS says 12.
    pub ready_timeout_ms: u64,
    /// From the last record until STATUS says that it is done: the reader may be sending it on.
    pub finish_timeout_ms: u64,
    /// A command that was not taken is sent so many times in all.
    pub tries: u32,
    /// The order of the parts of a date in response 15.
    pub date_order: DateOrder,
}

impl Default for UploadLayout {
    fn default() -> UploadLayout {
        UploadLayout {
            ready_fields: vec![
                ReadyField::Name,
                ReadyField::Type,
                ReadyField::Size,
                ReadyField::RecordsTotal,
                ReadyField::RecordSize,
            ],
            record_fields: vec![RecordField::Number, RecordField::Data],
            file_type: "0".to_owned(),
            record_bytes: 96,
            first_record: 1,
            has_crc: true,
            polls_between_records: false,
            begins_in: vec![0, 6],
            done_in: vec![0, 6],
            confirmations: 2,
            ack_timeout_ms: 250,
            answer_timeout_ms: 250,
            poll_interval_ms: 100,
            idle_timeout_ms: 3_000,
            ready_timeout_ms: 10_000,
            finish_timeout_ms: 60_000,
            tries: 3,
            date_order: DateOrder::Mdy,
        }
    }
}

/// What command 24 says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileReady {
    /// The file's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its bytes.
    pub size_bytes: u32,
    /// How many records follow.
    pub records_total: u32,
    /// The bytes of every record but the last.
    pub record_bytes: u32,
}

/// What the layout's configuration must not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLayout {
    /// A sale could be disturbed.
    #[error("begins_in may hold 0 and 6 only: in any other status a sale may be going on")]
    BeginsInASale,
    /// A number out of its range.
    #[error("{0} must be {1} to {2}")]
    OutOfRange(&'static str, u64, u64),
    /// The reader could not know what it gets.
    #[error("record_fields must hold \"data\", and no field may stand twice")]
    Fields,
    /// It cannot be written.
    #[error("file_type must be at most 16 printable ASCII characters")]
    FileType,
}

impl UploadLayout {
    /// Whether it can be used, and cannot hurt a sale.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), BadLayout> {
        let ranges = [
            (
                "record_bytes",
                self.record_bytes as u64,
                1,
                RECORD_MAX_BYTES,
            ),
            ("confirmations", u64::from(self.confirmations), 1, 10),
            ("tries", u64::from(self.tries), 1, 10),
            ("ack_timeout_ms", self.ack_timeout_ms, 10, 5_000),
            ("answer_timeout_ms", self.answer_timeout_ms, 10, 5_000),
            ("poll_interval_ms", self.poll_interval_ms, 10, 10_000),
            ("idle_timeout_ms", self.idle_timeout_ms, 100, 60_000),
            ("ready_timeout_ms", self.ready_timeout_ms, 100, 600_000),
            ("finish_timeout_ms", self.finish_timeout_ms, 100, 600_000),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(BadLayout::OutOfRange(name, least, most));
            }
        }
        let is_safe =
            !self.begins_in.is_empty() && self.begins_in.iter().all(|c| [0, 6].contains(c));
        if !is_safe {
            return Err(BadLayout::BeginsInASale);
        }
        let once = |count: usize| count <= 1;
        let ready = &self.ready_fields;
        let record = &self.record_fields;
        let is_unique = ready
            .iter()
            .all(|f| once(ready.iter().filter(|g| *g == f).count()))
            && record
                .iter()
                .all(|f| once(record.iter().filter(|g| *g == f).count()));
        if !is_unique || !record.contains(&RecordField::Data) {
            return Err(BadLayout::Fields);
        }
        let is_text = self
            .file_type
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~'));
        if !is_text || self.file_type.len() > 16 {
            return Err(BadLayout::FileType);
        }
        Ok(())
    }

    /// What command 24 says of a file.
    pub fn file_ready(&self, name: &str, size_bytes: usize) -> FileReady {
        let size = u32::try_from(size_bytes).unwrap_or(u32::MAX);
        let record = u32::try_from(self.record_bytes).unwrap_or(u32::MAX).max(1);
        FileReady {
            name: name.to_owned(),
            kind: self.file_type.clone(),
            size_bytes: size,
            records_total: size.div_ceil(record),
            record_bytes: record,
        }
    }

    /// Command 24.
    pub fn ready_frame(&self, ready: &FileReady) -> Frame {
        let field = |field: &ReadyField| match field {
            ReadyField::Name => ready.name.clone(),
            ReadyField::Type => ready.kind.clone(),
            ReadyField::Size => ready.size_bytes.to_string(),
            ReadyField::RecordsTotal => ready.records_total.to_string(),
            ReadyField::RecordSize => ready.record_bytes.to_string(),
        };
        Frame::with(FILE_READY, self.ready_fields.iter().map(field))
    }

    /// Reads command 24; fields that this layout does not have stay empty.
    ///
    /// # Errors
    /// The fields are not this layout's.
    pub fn read_ready(&self, frame: &Frame) -> Result<FileReady, Malformed> {
        let mut fields = Reading::of(frame);
        let mut ready = FileReady::default();
        for field in &self.ready_fields {
            match field {
                ReadyField::Name => ready.name = fields.text()?,
                ReadyField::Type => ready.kind = fields.text()?,
                ReadyField::Size => ready.size_bytes = fields.number()?,
                ReadyField::RecordsTotal => ready.records_total = fields.number()?,
                ReadyField::RecordSize => ready.record_bytes = fields.number()?,
            }
        }
        fields.end(ready)
    }

    /// Command 25 for the record at `index`, counted from 0.
    pub fn record_frame(&self, index: usize, data: &[u8]) -> Frame {
        let number = self.record_number(index).to_string();
        let field = |field: &RecordField| match field {
            RecordField::Number => number.clone().into_bytes(),
            RecordField::Data => data.to_vec(),
        };
        Frame::with(FILE_RECORD, self.record_fields.iter().map(field))
    }

    /// Reads command 25: the record's number, if this layout has one, and its data.
    ///
    /// # Errors
    /// The fields are not this layout's.
    pub fn read_record(&self, frame: &Frame) -> Result<(Option<u32>, Vec<u8>), Malformed> {
        let mut fields = Reading::of(frame);
        let (mut number, mut data) = (None, Vec::new());
        for field in &self.record_fields {
            match field {
                RecordField::Number => number = Some(fields.number()?),
                RecordField::Data => data = fields.raw()?.to_vec(),
            }
        }
        fields.end((number, data))
    }

    /// The number of the record at `index`, counted from 0.
    pub fn record_number(&self, index: usize) -> u32 {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.first_record.saturating_add(index)
    }

    pub(crate) fn ack_timeout(&self) -> Duration {
        Duration::from_millis(self.ack_timeout_ms)
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_usable_and_a_record_is_short() {
        let layout = UploadLayout::default();
        assert_eq!(layout.check(), Ok(()));
        let record = layout.record_frame(9, &[b'x'; 96]);
        let bytes = record.encode(crate::Dialect::commands(layout.has_crc));
        let wire = crate::wire_time(bytes.len());
        assert!(wire < Duration::from_millis(120), "{wire:?}");
    }

    #[test]
    fn no_configuration_makes_a_record_so_long_that_a_sale_waits_for_it() {
        let of = |record_bytes: usize| UploadLayout {
            record_bytes,
            ..UploadLayout::default()
        };
        let most = RECORD_MAX_BYTES as usize;
        assert_eq!(of(most).check(), Ok(()));
        let refused = BadLayout::OutOfRange("record_bytes", 1, RECORD_MAX_BYTES);
        assert_eq!(of(most + 1).check(), Err(refused));
        let record = of(most).record_frame(899, &vec![b'x'; most]);
        let bytes = record.encode(crate::Dialect::commands(true));
        let wire = crate::wire_time(bytes.len());
        assert!(wire < Duration::from_millis(150), "{wire:?}");
    }

    #[test]
    fn no_configuration_lets_an_upload_begin_where_a_sale_may_be() {
        for status in (0..=33).filter(|status| ![0, 6].contains(status)) {
            let begins_in = vec![0, status];
            let layout = UploadLayout {
                begins_in,
                ..UploadLayout::default()
            };
            assert_eq!(layout.check(), Err(BadLayout::BeginsInASale), "{status}");
        }
    }

    #[test]
    fn the_order_of_fields_is_configuration() {
        let mut layout = UploadLayout::default();
        layout.ready_fields.reverse();
        layout.record_fields = vec![RecordField::Data];
        assert_eq!(layout.check(), Ok(()));
        let ready = layout.file_ready("a.txt", 200);
        let frame = layout.ready_frame(&ready);
        assert_eq!(frame, Frame::with(24, ["96", "3", "200", "0", "a.txt"]));
        assert_eq!(layout.read_ready(&frame), Ok(ready));
        let record = layout.record_frame(0, b"data");
        assert_eq!(layout.read_record(&record), Ok((None, b"data".to_vec())));
        layout.record_fields.clear();
        assert_eq!(layout.check(), Err(BadLayout::Fields));
    }
}
