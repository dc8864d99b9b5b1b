//! The mail that a file is forwarded in. What the real service writes around it is not known: file
//! as attachment or text in the body, with or without a footer.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::ValueEnum;
use jiff::{Timestamp, fmt::rfc2822, tz::TimeZone};

use super::dress::{Parcel, with_crlf};

/// The longest line of base64 and of quoted-printable (RFC 2045).
const LINE_CHARS: usize = 76;
/// What a service may add below.
const FOOTER: &str = "\n-- \nThis message was sent by an automated report. Please do not reply.\n\
    Confidentiality notice: this e-mail may contain privileged information.\n";

/// Where in the mail the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MailForm {
    /// Attached, in base64.
    Attachment,
    /// In the body, as it is.
    Body,
    /// In the body, quoted-printable.
    Quoted,
}

/// What a mail looks like.
#[derive(Debug, Clone, Copy)]
pub struct MailLook {
    /// Where the file is; what is no text is attached in any case.
    pub form: MailForm,
    /// Whether the service adds its lines below.
    pub has_footer: bool,
}

/// The whole mail, with CR LF; `number` makes it unlike every other.
pub(super) fn message(parcel: &Parcel, look: MailLook, now: Timestamp, number: u64) -> Vec<u8> {
    let date = rfc2822::to_string(&now.to_zoned(TimeZone::UTC)).unwrap_or_default();
    let head = format!(
        "From: Report Server <reports@usalive.example>\n\
         To: drops@vendlog.example\n\
         Subject: Kiosk File Upload\n\
         Date: {date}\n\
         Message-ID: <{}.{number}@usalive.example>\n\
         MIME-Version: 1.0\n",
        now.as_microsecond()
    );
    let footer = if look.has_footer { FOOTER } else { "" };
    let rest = match look.form {
        MailForm::Body if parcel.is_text => {
            let text = String::from_utf8_lossy(&parcel.bytes);
            format!(
                "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}{footer}"
            )
        }
        MailForm::Quoted if parcel.is_text => {
            let text = [parcel.bytes.as_slice(), footer.as_bytes()].concat();
            format!(
                "Content-Type: text/plain; charset=utf-8\n\
                 Content-Transfer-Encoding: quoted-printable\n\n{}",
                quoted(&text)
            )
        }
        _ => attached(parcel, footer, number),
    };
    with_crlf((head + &rest).as_bytes())
}

fn attached(parcel: &Parcel, footer: &str, number: u64) -> String {
    let boundary = format!("=_part_{number}");
    let kind = match parcel.is_text {
        true => "text/plain; charset=utf-8",
        false => "application/zip",
    };
    let name = &parcel.name;
    let encoded = BASE64_STANDARD.encode(&parcel.bytes);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(LINE_CHARS)
        .map(|line| std::str::from_utf8(line).unwrap_or_default())
        .collect();
    format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n\
         --{boundary}\nContent-Type: text/plain\n\nA file is attached.\n{footer}\n\
         --{boundary}\nContent-Type: {kind}; name=\"{name}\"\n\
         Content-Disposition: attachment; filename=\"{name}\"\n\
         Content-Transfer-Encoding: base64\n\n{}\n--{boundary}--\n",
        lines.join("\n")
    )
}

/// Quoted-printable (RFC 2045, 6.7): line breaks stay, all else that is not plain is spelled.
fn quoted(text: &[u8]) -> String {
    let mut out = String::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut width = 0;
        for (place, &byte) in line.iter().enumerate() {
            let is_last = place + 1 == line.len();
            let is_plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || byte == b' ' && !is_last;
            let piece = match is_plain {
                true => char::from(byte).to_string(),
                false => format!("={byte:02X}"),
            };
            // Room for the "=" of a soft line break.
            if width + piece.len() >= LINE_CHARS {
                out.push_str("=\n");
                width = 0;
            }
            width += piece.len();
            out.push_str(&piece);
        }
        out.push('\n');
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(is_text: bool) -> Parcel {
        Parcel {
            name: "a.txt".to_owned(),
            bytes: b"VM001|0122-1430|E|app|100% = all |\n".to_vec(),
            is_text,
        }
    }

    fn mail(parcel: &Parcel, form: MailForm) -> String {
        let look = MailLook {
            form,
            has_footer: true,
        };
        let bytes = message(parcel, look, Timestamp::UNIX_EPOCH, 7);
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn every_line_ends_with_cr_lf_and_is_short_enough() {
        for form in [MailForm::Attachment, MailForm::Body, MailForm::Quoted] {
            let mail = mail(&parcel(true), form);
            assert!(!mail.replace("\r\n", "").contains(['\r', '\n']));
            assert!(mail.contains("automated report"), "the footer is there");
        }
    }

    #[test]
    fn quoted_text_has_its_signs_spelled_and_its_lines_cut() {
        assert_eq!(quoted(b"a=b \nc"), "a=3Db=20\nc");
        let long = quoted(&[b'x'; 200]);
        assert!(long.lines().all(|line| line.len() <= LINE_CHARS));
        assert_eq!(long.replace("=\n", ""), "x".repeat(200));
    }

    #[test]
    fn what_is_no_text_is_attached() {
        let mail = mail(&parcel(false), MailForm::Body);
        assert!(mail.contains("Content-Type: application/zip"));
    }
}
