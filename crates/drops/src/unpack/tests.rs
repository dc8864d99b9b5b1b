//! What wrappers hold, and which are refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

const DROP: &str = "VM001|1123-1500|C|payment|Lost sale|#7@12";

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn names_and_texts(name: &str, bytes: &[u8]) -> Vec<(String, String)> {
    let parts = unpack(name, bytes).expect("something inside");
    parts
        .into_iter()
        .map(|part| (part.name, String::from_utf8(part.bytes).expect("text")))
        .collect()
}

fn code(bytes: &[u8]) -> &'static str {
    unpack("x", bytes).expect_err("refused").code
}

fn pair(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

/// A mail with these parts, each with its own headers.
fn mail_of(parts: &[&str]) -> Vec<u8> {
    let mut mail = String::from(
        "Return-Path: <usalive@example.com>\r\nFrom: USALive <usalive@example.com>\r\n\
         Date: Mon, 23 Nov 2026 15:00:00 +0000\r\nSubject: =?utf-8?Q?Kiosk_file_=E2=9C=93?=\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n",
    );
    for part in parts {
        mail.push_str("--b1\r\n");
        mail.push_str(part);
        mail.push_str("\r\n");
    }
    mail.push_str("--b1--\r\n");
    mail.into_bytes()
}

#[test]
fn a_bare_text_is_itself_and_names_say_nothing() {
    let text = format!("\u{feff}{DROP}\r\n\0\0\x1a");
    assert_eq!(
        names_and_texts("a/b.zip", text.as_bytes()),
        [pair("b.zip", DROP)]
    );
    assert_eq!(code(b" \r\n\0"), "nothing_inside");
    // Begins like a header, but is none.
    let entry = "Subject: a|1123-1500|I|x|y|z\nVM001|...";
    assert_eq!(names_and_texts("x", entry.as_bytes()), [pair("x", entry)]);
}

#[test]
fn a_zip_gives_its_files() {
    let zip = zip_of(&[
        ("drops/VM001-7-1.txt", DROP.as_bytes()),
        ("../../VM001-7-2.txt", b"two\r\n"),
        ("__MACOSX/._x", b"junk"),
        ("empty.txt", b""),
    ]);
    let expected = [pair("VM001-7-1.txt", DROP), pair("VM001-7-2.txt", "two")];
    assert_eq!(names_and_texts("report.txt", &zip), expected);
    assert_eq!(code(&zip_of(&[])), "nothing_inside");
}

#[test]
fn a_gzip_gives_its_text() {
    let gzip = gzip_of(DROP.as_bytes());
    assert_eq!(
        names_and_texts("VM001.txt.gz", &gzip),
        [pair("VM001.txt", DROP)]
    );
    assert_eq!(code(&gzip[..gzip.len() - 9]), "damaged");
}

#[test]
fn bombs_and_nests_are_refused() {
    let zeros = vec![b' '; 4_000_000];
    assert_eq!(code(&zip_of(&[("a", &zeros)])), "too_much", "ratio");
    assert_eq!(code(&gzip_of(&zeros)), "too_much", "ratio");
    let large: Vec<u8> = (0..300_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_string().into_bytes())
        .collect();
    let many: Vec<(&str, &[u8])> = vec![("a", &large[..1_000_000]); 1];
    assert!(unpack("x", &zip_of(&many)).is_ok());
    let names: Vec<String> = (0..=limits::PARTS).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
    assert_eq!(code(&zip_of(&many)), "too_much", "count");
    let zip = zip_of(&[("a", DROP.as_bytes())]);
    assert_eq!(code(&zip_of(&[("a.zip", &zip)])), "nested");
    assert_eq!(code(&gzip_of(&gzip_of(b"x"))), "nested");
    assert_eq!(code(&vec![b'x'; 3_000_000]), "too_much");
    assert_eq!(code(&mail_of(&vec!["\r\nx"; 6_000])), "too_much");
}

#[test]
fn an_encrypted_zip_says_so() {
    // Flag bit 0 of the local and the central header says "encrypted".
    let mut zip = zip_of(&[("a", DROP.as_bytes())]);
    for magic in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let at = zip.windows(4).position(|four| four == magic).unwrap();
        zip[at + if magic[2] == 3 { 6 } else { 8 }] |= 1;
    }
    let error = unpack("x", &zip).unwrap_err();
    assert_eq!(error.code, "encrypted", "{error}");
}

#[test]
fn attachments_go_before_the_body() {
    let cover = "Content-Type: text/plain\r\n\r\nPlease see attached.";
    let base64 = "Content-Type: application/octet-stream; name=\"VM001-7-1.txt\"\r\n\
                  Content-Disposition: attachment; filename=\"VM001-7-1.txt\"\r\n\
                  Content-Transfer-Encoding: base64\r\n\r\nVk0wMDF8MTEyMw0K";
    let quoted = "Content-Type: text/plain; name=\"VM001-7-2.txt\"\r\n\
                  Content-Disposition: attachment\r\n\
                  Content-Transfer-Encoding: quoted-printable\r\n\r\nVM001=7C1123=\r\n-1500";
    let logo = "Content-Type: image/png; name=\"logo.png\"\r\n\
                Content-Disposition: attachment\r\n\r\nPNG";
    let mail = mail_of(&[cover, base64, logo, quoted]);
    let expected = [
        pair("VM001-7-1.txt", "VM001|1123"),
        pair("VM001-7-2.txt", "VM001|1123-1500"),
    ];
    assert_eq!(names_and_texts("mail", &mail), expected);
    assert_eq!(
        attachment_names(&mail),
        ["VM001-7-1.txt", "logo.png", "VM001-7-2.txt"]
    );
}

#[test]
fn a_body_is_a_drop_when_nothing_else_is() {
    let body = format!("Content-Type: text/plain\r\n\r\n{DROP}\r\n-- \r\nfooter");
    let logo = "Content-Type: image/png\r\nContent-Disposition: attachment\r\n\r\nPNG";
    let text = format!("{DROP}\n-- \nfooter");
    assert_eq!(
        names_and_texts("m", &mail_of(&[&body, logo])),
        [pair("Kiosk file ✓", &text)]
    );

    let plain = format!("From: a@b.c\nTo: d@e.f\n\n{DROP}\n");
    assert_eq!(
        names_and_texts("1.eml", plain.as_bytes()),
        [pair("1.eml", DROP)]
    );

    let html = format!(
        "From: a@b.c\nTo: d@e.f\nContent-Type: text/html\n\n<html><body><p>{DROP}</p></body></html>"
    );
    let [(_, text)] = &names_and_texts("m", html.as_bytes())[..] else {
        panic!("one part")
    };
    assert_eq!(text.trim(), DROP);
}

#[test]
fn forwarded_mails_and_zips_in_mails_are_opened() {
    let inner = format!(
        "Content-Type: message/rfc822\r\n\r\nFrom: a@b.c\r\nTo: d@e.f\r\nSubject: inner\r\n\r\n{DROP}"
    );
    assert_eq!(
        names_and_texts("m", &mail_of(&[&inner])),
        [pair("inner", DROP)]
    );

    use base64::Engine as _;
    let zip = zip_of(&[("VM001.txt", DROP.as_bytes())]);
    let zip = base64::engine::general_purpose::STANDARD.encode(zip);
    let attached = format!(
        "Content-Type: application/zip\r\nContent-Disposition: attachment; filename=r.zip\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{zip}"
    );
    assert_eq!(
        names_and_texts("m", &mail_of(&[&attached])),
        [pair("VM001.txt", DROP)]
    );
}

#[test]
fn reports_and_encrypted_mails_are_left_with_a_reason() {
    let report = "From: mailer-daemon@b.c\nTo: d@e.f\n\
                  Content-Type: multipart/report; boundary=b\n\n--b\n\nundelivered\n--b--\n";
    let error = unpack("m", report.as_bytes()).unwrap_err();
    assert_eq!(error.code, "nothing_inside");
    assert!(error.message.contains("delivered"), "{error}");
    let secret = "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\
                  Content-Disposition: attachment\r\n\r\nxxx";
    let error = unpack("m", &mail_of(&[secret])).unwrap_err();
    assert!(error.message.contains("without encryption"), "{error}");
}
