//! Whatever can be said comes back as it was said, and nothing secret is printed.

use eport::response::Fault;
use eport::{
    Command, DateOrder, Decoder, Dialect, Event, Frame, Response, Secret, TimeAndDate, UploadLayout,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Text without what has a meaning on the line.
fn text() -> impl Strategy<Value = String> {
    "[ -~äöüß€]{0,40}"
}

fn secret() -> impl Strategy<Value = Secret> {
    vec(prop_oneof![32u8..127, 0x80u8..=0xFF], 0..30).prop_map(Secret::new)
}

fn response() -> impl Strategy<Value = Response> {
    let bare = prop::sample::select(vec![
        Response::Ok,
        Response::Busy,
        Response::Initializing,
        Response::Disabled,
        Response::ExpectingSwipe,
        Response::Authorizing,
        Response::ExpectingResult,
        Response::ExpectingRecord,
        Response::CancelFileTransfer,
        Response::EndButtonPressed,
    ]);
    let auth_ok =
        (any::<u32>(), secret(), vec(secret(), 0..3)).prop_map(|(amount_cents, card, more)| {
            Response::AuthOk {
                amount_cents,
                card,
                more,
            }
        });
    let file = (text(), text(), any::<[u32; 3]>()).prop_map(|(name, kind, numbers)| {
        let [size_bytes, records_total, record_bytes] = numbers;
        Response::FileAvailable {
            name,
            kind,
            size_bytes,
            records_total,
            record_bytes,
        }
    });
    prop_oneof![
        bare,
        auth_ok,
        file,
        (text(), text()).prop_map(|(code, message)| Response::AuthDeclined { code, message }),
        text().prop_map(|message| Response::SessionTimeout { message }),
        (text(), text())
            .prop_map(|(command, message)| Response::InvalidCommand { command, message }),
        any::<(u32, u32)>().prop_map(|(rssi, ber)| Response::SignalQuality { rssi, ber }),
        (0i64..4_000_000_000, -12i64..13).prop_map(|(seconds, offset)| {
            Response::TimeAndDate(TimeAndDate::at(seconds, offset, DateOrder::Ymd))
        }),
        (text(), text()).prop_map(|(serial_number, software_revision)| Response::EportConfig {
            serial_number,
            software_revision
        }),
        secret().prop_map(Response::TransactionId),
        prop::sample::select(Fault::ALL.to_vec()).prop_map(Response::Fault),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let bare = prop::sample::select(vec![
        Command::Status,
        Command::Reboot,
        Command::Reset,
        Command::ProcessUpdate,
        Command::Enable,
        Command::Disable,
        Command::BeginFileDownload,
        Command::TerminateFileTransfer,
        Command::AcquireSignalQuality,
        Command::AcquireTimeAndDate,
        Command::AcquireConfig,
        Command::AcquireTransactionId,
    ]);
    // A frame with a CRC has at least one field.
    let secrets = || vec(secret(), 1..5);
    let raw = || vec(vec(32u8..127, 0..60), 1..6);
    prop_oneof![
        bare,
        any::<u32>().prop_map(|amount_cents| Command::AuthRequest { amount_cents }),
        vec(secret(), 0..3).prop_map(Command::EventLog),
        secrets().prop_map(Command::Config),
        secrets().prop_map(Command::TransactionResult),
        secrets().prop_map(Command::CashReport),
        secrets().prop_map(Command::DisplayMessage),
        raw().prop_map(Command::FileReady),
        raw().prop_map(Command::FileRecord),
    ]
}

fn through(frame: &Frame, dialect: Dialect) -> Frame {
    let mut decoder = Decoder::new(dialect);
    let bytes = frame.encode(dialect);
    let events: Vec<Event> = bytes
        .iter()
        .filter_map(|&byte| decoder.push(byte))
        .collect();
    let [Event::Frame(read)] = &events[..] else {
        panic!("{frame:?} became {events:?}");
    };
    read.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_response_comes_back(response in response()) {
        let frame = through(&response.to_frame(), Dialect::responses());
        prop_assert_eq!(Response::from_frame(&frame), Ok(response));
    }

    #[test]
    fn a_command_comes_back(command in command(), upload_has_crc: bool) {
        let frame = through(&command.to_frame(), Dialect::commands(upload_has_crc));
        prop_assert_eq!(Command::from_frame(&frame), Ok(command));
    }

    #[test]
    fn a_file_comes_back_record_by_record(
        data in vec(prop_oneof![Just(b'\n'), 32u8..127], 1..=900),
        record_bytes in 1usize..=128,
    ) {
        let layout = UploadLayout { record_bytes, ..UploadLayout::default() };
        let ready = layout.file_ready("a.txt", data.len());
        let dialect = Dialect::commands(true);
        let frame = through(&layout.ready_frame(&ready), dialect);
        prop_assert_eq!(layout.read_ready(&frame), Ok(ready.clone()));
        let mut whole = Vec::new();
        for (index, record) in data.chunks(record_bytes).enumerate() {
            let frame = through(&layout.record_frame(index, record), dialect);
            let (number, piece) = layout.read_record(&frame).expect("its own record");
            prop_assert_eq!(number, Some(index as u32 + 1));
            whole.extend(piece);
        }
        prop_assert_eq!(whole.len().div_ceil(record_bytes), ready.records_total as usize);
        prop_assert_eq!(whole, data);
    }
}

#[test]
fn card_data_and_transaction_ids_cannot_be_printed() {
    let card = "6396***********9701";
    let response = Response::AuthOk {
        amount_cents: 2_000,
        card: Secret::new(card),
        more: vec![Secret::new("VISA")],
    };
    let frame = through(&response.to_frame(), Dialect::responses());
    let id = Response::TransactionId(Secret::new("1234567890"));
    let cash = Command::CashReport(vec![Secret::new("4111111111111111")]);
    let event = Event::Frame(frame.clone());
    let printed = format!("{response:?} {frame:?} {id:?} {cash:?} {event:?}");
    for secret in ["6396", "9701", "VISA", "12345678", "4111"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn fields_that_do_not_fit_their_code_are_refused() {
    for frame in [
        Frame::with(7, ["more"]),
        Frame::with(14, ["18"]),
        Frame::with(14, ["018", "0"]),
        Frame::with(2, ["20.00", "card"]),
        Frame::bare(29),
    ] {
        assert!(Response::from_frame(&frame).is_err(), "{frame:?}");
    }
    assert!(Command::from_frame(&Frame::with(21, ["-5"])).is_err());
    assert!(Command::from_frame(&Frame::bare(19)).is_err());
}
