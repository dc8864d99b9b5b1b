//! The HTML part. Markup comes from this file only, as `&'static str`; everything else goes in
//! through [`Html::text`], which escapes: there is no other way to put text in.

use crate::chart;
use crate::message::{Chart, Severity};
use crate::shown::Shown;
use crate::{limits, when, words};

/// A page that is being written.
struct Html(String);

impl Html {
    /// Markup of this file's own.
    fn raw(&mut self, markup: &'static str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Text from anywhere, in an element or in a quoted attribute.
    fn text(&mut self, text: &str) -> &mut Html {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }
}

const OPEN: &str = "<!doctype html><html><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"></head>\
    <body style=\"margin:0;padding:16px;font-family:sans-serif;font-size:15px;color:#1c1e21\">";
const CELL: &str = "<td style=\"padding:3px 12px 3px 0;vertical-align:top;color:#5f6368\">";
const CELL_VALUE: &str = "</td><td style=\"padding:3px 0;vertical-align:top\">";
const ITEM: &str = "<td style=\"padding:3px 12px 3px 0;vertical-align:top;\
    border-top:1px solid #e3e5e8\">";

const HEAD: &str = "<th style=\"padding:3px 12px 3px 0;text-align:left;font-weight:normal;\
    color:#5f6368\">";

/// The whole page; `own_words` are the user's template, filled in.
pub(super) fn page(shown: &Shown, own_words: Option<&str>) -> String {
    let mut html = Html(String::new());
    html.raw(OPEN);
    headline(&mut html, shown);
    match own_words {
        Some(own_words) => lines(&mut html, own_words),
        None => body(&mut html, shown),
    }
    if shown.chart.is_some() {
        drawn(&mut html, shown);
    }
    if own_words.is_none() {
        items(&mut html, shown);
    }
    if let Some(link) = &shown.link {
        html.raw(
            "<p><a style=\"display:inline-block;padding:8px 16px;background:#1a56c4;\
                  color:#ffffff;text-decoration:none;border-radius:4px\" href=\"",
        );
        html.text(link.as_str()).raw("\">Open in Vendlog</a></p>");
    }
    html.raw("</body></html>\n");
    html.0
}

fn headline(html: &mut Html, shown: &Shown) {
    html.raw(match shown.severity {
        Severity::Critical => "<h1 style=\"font-size:19px;margin:0 0 8px;color:#a50e0e\">",
        Severity::Error => "<h1 style=\"font-size:19px;margin:0 0 8px;color:#b3470b\">",
        Severity::Warning => "<h1 style=\"font-size:19px;margin:0 0 8px;color:#7a5900\">",
        Severity::Info => "<h1 style=\"font-size:19px;margin:0 0 8px;color:#1c1e21\">",
    });
    html.text(&words::prefix(shown.kind))
        .text(&shown.issue)
        .raw("</h1>");
}

fn lines(html: &mut Html, text: &str) {
    html.raw("<p>");
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            html.raw("<br>");
        }
        html.text(line);
    }
    html.raw("</p>");
}

fn body(html: &mut Html, shown: &Shown) {
    let why = words::why_now(shown.kind, shown.is_late);
    for sentence in [why.as_str(), shown.facts.as_str()] {
        if !sentence.is_empty() {
            html.raw("<p>").text(sentence).raw("</p>");
        }
    }
    html.raw("<table style=\"border-collapse:collapse\">");
    for (name, value) in words::pairs(shown) {
        html.raw("<tr>").raw(CELL).text(name).raw(CELL_VALUE);
        html.text(&value).raw("</td></tr>");
    }
    html.raw("</table>");
    let is_listed = shown.machines.len() > limits::MACHINES_NAMED;
    if is_listed {
        html.raw("<ul>");
        for machine in shown.machines.iter().take(limits::MACHINES) {
            html.raw("<li>").text(&words::label(machine)).raw("</li>");
        }
        html.raw("</ul>");
    }
}

fn drawn(html: &mut Html, shown: &Shown) {
    let Some(chart) = shown.chart.as_ref().filter(|chart| !chart.bars.is_empty()) else {
        return;
    };
    html.raw("<p style=\"margin:16px 0 4px\"><b>")
        .text(&chart.title);
    html.raw("</b></p><img width=\"640\" height=\"160\" style=\"max-width:100%\" src=\"cid:");
    html.text(chart::CONTENT_ID).raw("\" alt=\"");
    html.text(&chart::in_words(chart, &shown.timezone))
        .raw("\">");
    html.raw("<p style=\"margin:4px 0 16px;color:#5f6368\">");
    legend(html, chart);
    let first = chart
        .bars
        .first()
        .map(|bar| when::short(bar.at, &shown.timezone));
    let last = chart
        .bars
        .last()
        .map(|bar| when::short(bar.at, &shown.timezone));
    html.text(&first.unwrap_or_default())
        .raw(" &ndash; ")
        .text(&last.unwrap_or_default());
    html.raw("; ")
        .text(&format!("highest bar {}", chart::highest(chart)))
        .raw("</p>");
}

/// The colours of the bars that there are: those of `chart.rs`.
fn legend(html: &mut Html, chart: &Chart) {
    const SQUARES: [&str; 4] = [
        "<span style=\"color:#78909c\">&#9632;</span> ",
        "<span style=\"color:#f0b429\">&#9632;</span> ",
        "<span style=\"color:#e66e28\">&#9632;</span> ",
        "<span style=\"color:#be1e2d\">&#9632;</span> ",
    ];
    for (at, (square, severity)) in SQUARES.into_iter().zip(Severity::ALL).enumerate() {
        if chart.bars.iter().any(|bar| bar.counts[at] > 0) {
            html.raw(square).text(severity.as_str()).raw(" &nbsp; ");
        }
    }
}

fn items(html: &mut Html, shown: &Shown) {
    if shown.items.is_empty() {
        return;
    }
    html.raw("<table style=\"border-collapse:collapse;margin-top:12px\"><tr>");
    for name in ["Last", "Machine", "Issue", "What", "Times"] {
        html.raw(HEAD).text(name).raw("</th>");
    }
    html.raw("</tr>");
    for item in &shown.items {
        let count = item.count.to_string();
        html.raw("<tr>");
        for value in [&item.time, &item.machine, &item.issue, &item.text, &count] {
            html.raw(ITEM).text(value).raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</table>");
    if shown.items_left_out > 0 {
        html.raw("<p>")
            .text(&format!("and {} more", shown.items_left_out))
            .raw("</p>");
    }
}
