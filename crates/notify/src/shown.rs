//! A message made fit to be shown: every channel composes from this and never from the message
//! itself, so that no card number and no control character can get past.

use reqwest::Url;
use wire::Micros;

use crate::message::{AlertRef, Chart, Item, Kind, MachineRef, Message, Severity};
use crate::template::Template;
use crate::{clean, limits, when};

/// The cleaned, bounded texts of a message.
pub(crate) struct Shown {
    pub id: String,
    pub kind: Kind,
    pub alert: Option<AlertRef>,
    pub severity: Severity,
    pub issue: String,
    pub machines: Vec<MachineRef>,
    pub at: Micros,
    pub timezone: String,
    pub facts: String,
    pub items: Vec<ShownItem>,
    /// Items beyond [`limits::ITEMS`].
    pub items_left_out: usize,
    pub chart: Option<Chart>,
    pub link: Option<Url>,
    pub is_late: bool,
    pub template: Option<Template>,
}

pub(crate) struct ShownItem {
    pub machine: String,
    pub issue: String,
    pub time: String,
    pub at: Micros,
    pub text: String,
    pub count: u64,
}

impl Shown {
    pub fn of(message: &Message) -> Shown {
        let name = |text: &str| clean::line(text, limits::NAME_CHARS);
        let machine = |machine: &MachineRef| MachineRef {
            id: name(&machine.id),
            name: name(&machine.name),
            site: name(&machine.site),
            location: name(&machine.location),
        };
        let item = |item: &Item| ShownItem {
            machine: name(&item.machine),
            issue: clean::line(&item.issue, limits::ISSUE_CHARS),
            time: when::short(item.at, &message.timezone),
            at: item.at,
            text: clean::line(&item.text, limits::ITEM_CHARS),
            count: item.count,
        };
        // What an id looks like is the caller's; a card number it is not.
        let id = |text: &str| -> String {
            let visible = text.chars().filter(|c| c.is_ascii_graphic());
            visible.take(limits::ID_CHARS).collect()
        };
        Shown {
            id: id(&message.id),
            kind: message.kind,
            alert: message.alert.as_ref().map(|alert| AlertRef {
                id: id(&alert.id),
                no: alert.no,
            }),
            severity: message.severity,
            issue: clean::line(&message.issue, limits::ISSUE_CHARS),
            machines: message.machines.iter().map(machine).collect(),
            at: message.at,
            timezone: message.timezone.clone(),
            facts: clean::line(&message.facts, limits::FACTS_CHARS),
            items: message.items.iter().take(limits::ITEMS).map(item).collect(),
            items_left_out: message.items.len().saturating_sub(limits::ITEMS),
            chart: message.chart.as_ref().map(|chart| Chart {
                title: clean::line(&chart.title, limits::ISSUE_CHARS),
                bars: chart.bars.iter().take(limits::BARS).copied().collect(),
            }),
            link: message.link.as_deref().and_then(link),
            is_late: message.is_late,
            template: message.template.clone(),
        }
    }

    pub fn time(&self) -> String {
        when::long(self.at, &self.timezone)
    }
}

/// A link that opens a page and nothing else.
fn link(text: &str) -> Option<Url> {
    let is_whole = clean::line(text, limits::LINK_CHARS) == text;
    let url = Url::parse(text).ok().filter(|_| is_whole)?;
    let opens_a_page = matches!(url.scheme(), "https" | "http") && url.has_host();
    (opens_a_page && url.username().is_empty() && url.password().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_a_page_and_nothing_else() {
        assert!(link("https://pc.example/alerts/12").is_some());
        assert!(link("http://192.168.1.5:8443/#/alerts?id=12").is_some());
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://a@b/",
            "https://x/\r\ny",
            "vendlog://alert/1",
        ] {
            assert!(link(bad).is_none(), "{bad}");
        }
    }
}
