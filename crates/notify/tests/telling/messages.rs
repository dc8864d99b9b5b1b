//! Messages that the tests send.

use vendlog_notify::{AlertRef, Bar, Chart, Item, Kind, MachineRef, Message, Severity, Template};
use wire::Micros;

/// 2026-01-22 06:30:15 in Los Angeles.
pub const AT: &str = "2026-01-22T14:30:15.123Z";

pub const KINDS: [Kind; 9] = [
    Kind::First,
    Kind::Repeat { n: 2 },
    Kind::Escalation { step: 3 },
    Kind::Resolved,
    Kind::Acknowledged,
    Kind::Group,
    Kind::Digest,
    Kind::Late,
    Kind::Test,
];

pub fn machine(id: &str, name: &str, site: &str) -> MachineRef {
    MachineRef {
        id: id.into(),
        name: name.into(),
        site: site.into(),
        location: "second floor".into(),
    }
}

/// Payment is down at VM001.
pub fn message(kind: Kind) -> Message {
    let at = Micros::parse_rfc3339(AT).expect("an instant");
    let item = Item {
        machine: "VM001".into(),
        issue: "Payment System Down".into(),
        at,
        text: "Authorization timeout after 30s".into(),
        count: 12,
    };
    let bars = (0..24).map(|hour| Bar {
        at: at.plus_us(hour * wire::time::HOUR_US),
        counts: [0, hour as u64, 3, (hour % 5 == 0).into()],
    });
    let is_digest = kind == Kind::Digest;
    Message {
        id: "delivery-7f3a".into(),
        kind,
        alert: (!is_digest).then(|| AlertRef {
            id: "alert-9c1e".into(),
            no: 12,
        }),
        severity: Severity::Critical,
        issue: "Payment System Down".into(),
        machines: vec![machine("VM001", "Lobby left", "Main Street")],
        at,
        timezone: "America/Los_Angeles".into(),
        facts: "12 payment errors in 5 minutes; the last: Authorization timeout after 30s".into(),
        items: if is_digest { vec![item] } else { vec![] },
        chart: is_digest.then(|| Chart {
            title: "Errors an hour".into(),
            bars: bars.collect(),
        }),
        link: Some("https://pc.example/alerts/12?from=mail&x=1".into()),
        is_late: false,
        template: None,
    }
}

/// A user's template that leaves everything out that it must carry.
pub fn bare_template() -> Option<Template> {
    Some(Template {
        subject: Some("Look at this".into()),
        body: Some("Please go there.\n{{facts}}".into()),
    })
}
