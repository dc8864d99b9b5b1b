//! What the kiosk says to the reader: all known commands as values, both ways.

use crate::fields::{Malformed, Reading, Secret, exposed};
use crate::frame::Frame;

/// A command. STATUS, RESET, ACQUIRE_TRANSACTION_ID, AUTH_REQ and TRANSACTION_RESULT are in two public
/// programs, the others in one. Fields that no public source names are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 1: how is the reader, and what has it to say?
    Status,
    /// 2: start the reader anew.
    Reboot,
    /// 3: back to disabled, whatever was going on.
    Reset,
    /// 4: no public source says more than its name, PROCESS_UPDATE.
    ProcessUpdate,
    /// 5: take cards.
    Enable,
    /// 6: take no cards.
    Disable,
    /// 7: fetch the file that the reader has for the kiosk.
    BeginFileDownload,
    /// 8: end a file transfer, whatever its direction.
    TerminateFileTransfer,
    /// 9: the signal of the cell modem, answered by the next STATUS.
    AcquireSignalQuality,
    /// 10: the time, answered by the next STATUS.
    AcquireTimeAndDate,
    /// 11: for the vendor's own use.
    EventLog(Vec<Secret>),
    /// 12: serial number and software, answered by the next STATUS.
    AcquireConfig,
    /// 13: the id of the transaction, answered by the next STATUS.
    AcquireTransactionId,
    /// 20: what the reader is to know of the kiosk.
    Config(Vec<Secret>),
    /// 21: a card is to be authorized for this amount.
    AuthRequest {
        /// In cents.
        amount_cents: u32,
    },
    /// 22: what was sold.
    TransactionResult(Vec<Secret>),
    /// 23: what was sold for cash.
    CashReport(Vec<Secret>),
    /// 24: a file for the server; its fields are guessed, see [`crate::UploadLayout`].
    FileReady(Vec<Vec<u8>>),
    /// 25: a piece of that file; its fields are guessed, see [`crate::UploadLayout`].
    FileRecord(Vec<Vec<u8>>),
    /// 26: text for the reader's display.
    DisplayMessage(Vec<Secret>),
}

impl Command {
    /// The number that its frame begins with.
    pub fn code(&self) -> u8 {
        match self {
            Command::Status => 1,
            Command::Reboot => 2,
            Command::Reset => 3,
            Command::ProcessUpdate => 4,
            Command::Enable => 5,
            Command::Disable => 6,
            Command::BeginFileDownload => 7,
            Command::TerminateFileTransfer => 8,
            Command::AcquireSignalQuality => 9,
            Command::AcquireTimeAndDate => 10,
            Command::EventLog(_) => 11,
            Command::AcquireConfig => 12,
            Command::AcquireTransactionId => 13,
            Command::Config(_) => 20,
            Command::AuthRequest { .. } => 21,
            Command::TransactionResult(_) => 22,
            Command::CashReport(_) => 23,
            Command::FileReady(_) => 24,
            Command::FileRecord(_) => 25,
            Command::DisplayMessage(_) => 26,
        }
    }

    /// The frame to be sent.
    pub fn to_frame(&self) -> Frame {
        let code = self.code();
        match self {
            Command::EventLog(fields)
            | Command::Config(fields)
            | Command::TransactionResult(fields)
            | Command::CashReport(fields)
            | Command::DisplayMessage(fields) => Frame::with(code, exposed(fields)),
            Command::FileReady(fields) | Command::FileRecord(fields) => {
                Frame::with(code, fields.iter().cloned())
            }
            Command::AuthRequest { amount_cents } => Frame::with(code, [amount_cents.to_string()]),
            _ => Frame::bare(code),
        }
    }

    /// Reads a frame that the kiosk has sent.
    ///
    /// # Errors
    /// It is no command, or its fields are not those of its code.
    pub fn from_frame(frame: &Frame) -> Result<Command, Malformed> {
        let mut fields = Reading::of(frame);
        let command = match frame.code {
            1 => Command::Status,
            2 => Command::Reboot,
            3 => Command::Reset,
            4 => Command::ProcessUpdate,
            5 => Command::Enable,
            6 => Command::Disable,
            7 => Command::BeginFileDownload,
            8 => Command::TerminateFileTransfer,
            9 => Command::AcquireSignalQuality,
            10 => Command::AcquireTimeAndDate,
            11 => Command::EventLog(fields.rest()),
            12 => Command::AcquireConfig,
            13 => Command::AcquireTransactionId,
            20 => Command::Config(fields.rest()),
            21 => Command::AuthRequest {
                amount_cents: fields.number()?,
            },
            22 => Command::TransactionResult(fields.rest()),
            23 => Command::CashReport(fields.rest()),
            24 => return Ok(Command::FileReady(frame.fields.clone())),
            25 => return Ok(Command::FileRecord(frame.fields.clone())),
            26 => Command::DisplayMessage(fields.rest()),
            _ => return Err(fields.malformed()),
        };
        fields.end(command)
    }
}
