//! What the reader says to the kiosk: all known answers to STATUS as values, both ways. Printing one
//! never shows card data or a transaction's id.

use crate::clock::TimeAndDate;
use crate::fields::{Malformed, Reading, Secret, exposed};
use crate::frame::Frame;

/// An answer to STATUS. 2, 3, 6, 7, 8, 9 and 17 are in two public programs, the others in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// 0: idle, with a cell connection.
    Ok,
    /// 1: ask again.
    Busy,
    /// 2: the card is good.
    AuthOk {
        /// For so many cents.
        amount_cents: u32,
        /// The masked card.
        card: Secret,
        /// Further fields, which the log of the real application shows and nobody names.
        more: Vec<Secret>,
    },
    /// 3: the card was declined.
    AuthDeclined {
        /// The bank's code.
        code: String,
        /// Its words.
        message: String,
    },
    /// 4: the reader gave up on the kiosk.
    SessionTimeout {
        /// Why, such as `Lost Kiosk Comm`.
        message: String,
    },
    /// 5: getting a cell connection.
    Initializing,
    /// 6: takes no cards.
    Disabled,
    /// 7: waits for a card.
    ExpectingSwipe,
    /// 8: asks the bank.
    Authorizing,
    /// 9: waits for TRANSACTION_RESULT.
    ExpectingResult,
    /// 10: a bad command, or one out of sequence.
    InvalidCommand {
        /// Its code.
        command: String,
        /// What was wrong.
        message: String,
    },
    /// 11: the server has a file for the kiosk.
    FileAvailable {
        /// Its name.
        name: String,
        /// Its type.
        kind: String,
        /// Its size.
        size_bytes: u32,
        /// In so many records.
        records_total: u32,
        /// Of this size.
        record_bytes: u32,
    },
    /// 12: waits for a record of a file.
    ExpectingRecord,
    /// 13: a file transfer was cancelled.
    CancelFileTransfer,
    /// 14: the signal.
    SignalQuality {
        /// As the modem says it, usually 0 to 31, 99 for unknown.
        rssi: u32,
        /// Bit error rate class, usually 0 to 7, 99 for unknown.
        ber: u32,
    },
    /// 15: the time.
    TimeAndDate(TimeAndDate),
    /// 16: what the reader is.
    EportConfig {
        /// Its serial number.
        serial_number: String,
        /// Its software.
        software_revision: String,
    },
    /// 17: the id of the transaction.
    TransactionId(Secret),
    /// 18: the customer has pressed the end button.
    EndButtonPressed,
    /// 30 to 33: what the modem could not do.
    Fault(Fault),
}

/// Why the cell side failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 30: no network.
    Network,
    /// 31: the modem.
    Modem,
    /// 32: the vendor's server.
    Server,
    /// 33: no time to be had.
    TimeRequest,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 4] = [
        Fault::Network,
        Fault::Modem,
        Fault::Server,
        Fault::TimeRequest,
    ];

    /// The number on the line.
    pub fn code(self) -> u8 {
        match self {
            Fault::Network => 30,
            Fault::Modem => 31,
            Fault::Server => 32,
            Fault::TimeRequest => 33,
        }
    }

    /// The fault with this number.
    pub fn of(code: u8) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.code() == code)
    }

    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Network => "FAIL_NETWORK",
            Fault::Modem => "FAIL_MODEM",
            Fault::Server => "FAIL_SERVER",
            Fault::TimeRequest => "FAIL_TIME_REQUEST",
        }
    }
}

impl Response {
    /// The number that its frame begins with.
    pub fn code(&self) -> u8 {
        match self {
            Response::Ok => 0,
            Response::Busy => 1,
            Response::AuthOk { .. } => 2,
            Response::AuthDeclined { .. } => 3,
            Response::SessionTimeout { .. } => 4,
            Response::Initializing => 5,
            Response::Disabled => 6,
            Response::ExpectingSwipe => 7,
            Response::Authorizing => 8,
            Response::ExpectingResult => 9,
            Response::InvalidCommand { .. } => 10,
            Response::FileAvailable { .. } => 11,
            Response::ExpectingRecord => 12,
            Response::CancelFileTransfer => 13,
            Response::SignalQuality { .. } => 14,
            Response::TimeAndDate(_) => 15,
            Response::EportConfig { .. } => 16,
            Response::TransactionId(_) => 17,
            Response::EndButtonPressed => 18,
            Response::Fault(fault) => fault.code(),
        }
    }

    /// The frame as the reader sends it.
    pub fn to_frame(&self) -> Frame {
        let code = self.code();
        match self {
            Response::AuthOk {
                amount_cents,
                card,
                more,
            } => {
                let first = [amount_cents.to_string().into_bytes(), card.expose().into()];
                Frame::with(code, first.into_iter().chain(exposed(more)))
            }
            Response::AuthDeclined { code: why, message } => Frame::with(code, [&**why, message]),
            Response::SessionTimeout { message } => Frame::with(code, [&**message]),
            Response::InvalidCommand { command, message } => {
                Frame::with(code, [&**command, message])
            }
            Response::FileAvailable {
                name,
                kind,
                size_bytes,
                records_total,
                record_bytes,
            } => {
                let numbers = [size_bytes, records_total, record_bytes].map(u32::to_string);
                Frame::with(
                    code,
                    [name.clone(), kind.clone()].into_iter().chain(numbers),
                )
            }
            Response::SignalQuality { rssi, ber } => {
                Frame::with(code, [rssi, ber].map(u32::to_string))
            }
            Response::TimeAndDate(time) => Frame::with(code, time.fields()),
            Response::EportConfig {
                serial_number,
                software_revision,
            } => Frame::with(code, [&**serial_number, software_revision]),
            Response::TransactionId(id) => Frame::with(code, [id.expose()]),
            _ => Frame::bare(code),
        }
    }

    /// Reads a frame that the reader has sent.
    ///
    /// # Errors
    /// It is no answer, or its fields are not those of its code.
    pub fn from_frame(frame: &Frame) -> Result<Response, Malformed> {
        let mut fields = Reading::of(frame);
        let response = match frame.code {
            0 => Response::Ok,
            1 => Response::Busy,
            2 => Response::AuthOk {
                amount_cents: fields.number()?,
                card: fields.secret()?,
                more: fields.rest(),
            },
            3 => Response::AuthDeclined {
                code: fields.text()?,
                message: fields.text()?,
            },
            4 => Response::SessionTimeout {
                message: fields.text()?,
            },
            5 => Response::Initializing,
            6 => Response::Disabled,
            7 => Response::ExpectingSwipe,
            8 => Response::Authorizing,
            9 => Response::ExpectingResult,
            10 => Response::InvalidCommand {
                command: fields.text()?,
                message: fields.text()?,
            },
            11 => Response::FileAvailable {
                name: fields.text()?,
                kind: fields.text()?,
                size_bytes: fields.number()?,
                records_total: fields.number()?,
                record_bytes: fields.number()?,
            },
            12 => Response::ExpectingRecord,
            13 => Response::CancelFileTransfer,
            14 => Response::SignalQuality {
                rssi: fields.number()?,
                ber: fields.number()?,
            },
            15 => Response::TimeAndDate(TimeAndDate {
                gmt_time: fields.text()?,
                gmt_date: fields.text()?,
                gmt_offset: fields.text()?,
                local_time: fields.text()?,
                local_date: fields.text()?,
            }),
            16 => Response::EportConfig {
                serial_number: fields.text()?,
                software_revision: fields.text()?,
            },
            17 => Response::TransactionId(fields.secret()?),
            18 => Response::EndButtonPressed,
            code => Response::Fault(Fault::of(code).ok_or(fields.malformed())?),
        };
        fields.end(response)
    }
}
