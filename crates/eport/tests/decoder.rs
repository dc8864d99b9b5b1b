//! The frame decoder against every amount, every kind of damage, and a million random streams.

use eport::crc::crc16;
use eport::frame::{ACK, CR, NAK, RS};
use eport::{Command, Decoder, Dialect, Event, Frame, Response};

fn events(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Event> {
    bytes
        .iter()
        .filter_map(|&byte| decoder.push(byte))
        .collect()
}

fn commands() -> Decoder {
    Decoder::new(Dialect::commands(true))
}

#[test]
fn every_amount_is_read_though_its_crc_may_hold_a_cr_or_an_rs() {
    let (mut with_cr, mut with_rs) = (0, 0);
    let mut decoder = commands();
    for amount_cents in 0..100_000 {
        let command = Command::AuthRequest { amount_cents };
        let bytes = command.to_frame().encode(Dialect::commands(true));
        let crc = &bytes[bytes.len() - 3..bytes.len() - 1];
        with_cr += u32::from(crc.contains(&CR));
        with_rs += u32::from(crc.contains(&RS));
        // Two in a row, so that a cut frame would spoil the next one.
        for _ in 0..2 {
            let heard = events(&mut decoder, &bytes);
            assert_eq!(heard, [Event::Frame(command.to_frame())], "{amount_cents}");
        }
    }
    println!("100,000 amounts read; {with_cr} with CR and {with_rs} with RS in the CRC");
    assert_eq!(with_cr, 781, "the count of the published fact");
}

#[test]
fn acks_naks_and_line_ends_stand_between_frames() {
    let mut decoder = Decoder::new(Dialect::responses());
    let heard = events(&mut decoder, b"\x06\r\n6\r\x15\r\r14\x1e18\x1e0\r");
    let signal = Response::SignalQuality { rssi: 18, ber: 0 };
    assert_eq!(
        heard,
        [
            Event::Ack,
            Event::Frame(Frame::bare(6)),
            Event::Nak,
            Event::Frame(signal.to_frame())
        ]
    );
}

#[test]
fn a_frame_behind_garbage_is_read_after_a_silence() {
    let good = Frame::with(21, ["350"]).encode(Dialect::commands(true));
    let mut cut = good.clone();
    cut.truncate(4);
    let mut flipped = good.clone();
    flipped[3] ^= 1;
    let no_end = &good[..good.len() - 1];
    let noise = [0xFF; 3_000];
    for garbage in [
        &cut,
        &flipped,
        no_end,
        &noise,
        b"99\x1e\r",
        b"07\r",
        b"\x1e7\r",
    ] {
        let mut decoder = commands();
        let before = events(&mut decoder, garbage);
        assert!(
            before.iter().all(|e| matches!(e, Event::Garbled(_))),
            "{before:?}"
        );
        let _ = decoder.silence();
        assert!(!decoder.is_inside());
        let heard = events(&mut decoder, &good);
        assert_eq!(
            heard,
            [Event::Frame(Frame::with(21, ["350"]))],
            "{garbage:?}"
        );
    }
}

#[test]
fn a_garbled_frame_never_leaves_a_piece_that_looks_like_another() {
    // The CRC of this answer ends with CR and a digit: cut at the first CR, the rest reads `7 CR`.
    let mut found = 0;
    for amount in 0..400_000u32 {
        let frame = Frame::with(2, [amount.to_string(), "6396****9701".to_owned()]);
        let bytes = frame.encode(Dialect::responses());
        let crc = &bytes[bytes.len() - 3..bytes.len() - 1];
        if !(crc[0] == CR && crc[1].is_ascii_digit()) {
            continue;
        }
        found += 1;
        for place in 0..bytes.len() - 3 {
            let mut garbled = bytes.clone();
            garbled[place] ^= 0x01;
            let heard = events(&mut Decoder::new(Dialect::responses()), &garbled);
            let frames = heard
                .iter()
                .filter(|e| matches!(e, Event::Frame(_)))
                .count();
            assert_eq!(frames, 0, "{garbled:?} at {place} gave {heard:?}");
        }
    }
    assert!(found >= 10, "only {found} such answers");
}

/// The frames of a stream by definition: whole bytes of a frame somewhere in it, CRC checked here.
fn is_in(stream: &[u8], frame: &Frame, dialect: Dialect) -> bool {
    let bytes = frame.encode(dialect);
    if dialect.has_crc(frame.code) {
        let (body, crc) = bytes[..bytes.len() - 1].split_at(bytes.len() - 3);
        assert_eq!(crc, crc16(body).to_be_bytes());
    }
    stream.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn a_million_random_streams_do_no_harm() {
    let mut rng = Rng(7);
    let (mut streams, mut frames, mut with_crc) = (0u32, 0u32, 0u32);
    for round in 0..1_000_000u32 {
        let dialect = match round % 2 {
            0 => Dialect::responses(),
            _ => Dialect::commands(round % 4 == 1),
        };
        let stream = stream(&mut rng, dialect);
        let mut decoder = Decoder::new(dialect);
        let mut heard = events(&mut decoder, &stream);
        heard.extend(decoder.silence());
        for event in heard {
            let Event::Frame(frame) = event else { continue };
            assert!(
                is_in(&stream, &frame, dialect),
                "{frame:?} is not in {stream:?}"
            );
            frames += 1;
            with_crc += u32::from(dialect.has_crc(frame.code));
            let _ = Command::from_frame(&frame);
            let _ = Response::from_frame(&frame);
        }
        streams += 1;
    }
    println!(
        "{streams} random streams: 0 panics, {frames} frames accepted, {with_crc} of them with a \
         CRC, 0 with a wrong one"
    );
    assert!(
        with_crc > 10_000,
        "the streams must hold whole frames as well"
    );
}

/// Bytes as a line in trouble might bring them: noise, control bytes, pieces of frames, whole frames.
fn stream(rng: &mut Rng, dialect: Dialect) -> Vec<u8> {
    const LIKELY: [u8; 12] = [
        ACK, NAK, RS, CR, CR, b'1', b'2', b'3', b'4', b'0', b'7', b'|',
    ];
    let mut stream = Vec::new();
    for _ in 0..1 + rng.below(4) {
        match rng.below(4) {
            0 => stream.extend((0..rng.below(12)).map(|_| rng.next() as u8)),
            1 => stream.extend((0..rng.below(10)).map(|_| LIKELY[rng.below(12)])),
            _ => {
                let codes = [1, 2, 3, 6, 11, 21, 24, 25, 12, 17];
                let fields = (0..rng.below(4)).map(|_| {
                    let size = rng.below(6);
                    (0..size)
                        .map(|_| b' ' + rng.below(90) as u8)
                        .collect::<Vec<u8>>()
                });
                let fields: Vec<Vec<u8>> = fields.collect();
                let mut bytes = Frame::with(codes[rng.below(10)], fields).encode(dialect);
                match rng.below(5) {
                    0 => bytes.truncate(rng.below(bytes.len())),
                    1 => {
                        let place = rng.below(bytes.len());
                        bytes[place] ^= 1 << rng.below(8);
                    }
                    2 => {
                        let place = rng.below(bytes.len());
                        bytes.insert(place, bytes[place]);
                    }
                    _ => {}
                }
                stream.extend(bytes);
            }
        }
    }
    stream
}

/// SplitMix64: quick, and the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }
}
