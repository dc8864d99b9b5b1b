//! The export as a file: whole, in order, and harmless in a spreadsheet or a terminal.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, ago, batch};

const HOSTILE: [&str; 8] = [
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "say \"hi\", then\r\nleave \u{1b}[2J\u{202e}",
];

async fn hostile_server() -> Server {
    let server = Server::start().await;
    let key = server.machine("-VM").await;
    let logs: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(place, text)| {
            json!({ "seq": place + 1, "timestamp": ago(60 - place as i64), "level": "INFO",
                    "component": text, "message": text, "context": { "=key": text } })
        })
        .collect();
    let body = json!({ "machine_id": "-VM", "epoch": 1, "logs": logs });
    assert_eq!(
        server.must_post(&key, &body).await["accepted"],
        HOSTILE.len()
    );
    server
}

async fn export(server: &Server, query: &str) -> (String, String) {
    let request = server.request(Method::GET, &format!("/api/logs/export?{query}"));
    let response = request.bearer_auth(&server.token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let name = response.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    (name, response.text().await.unwrap())
}

/// RFC 4180, as a spreadsheet reads it.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            (_, '"') => quoted = !quoted,
            (false, ',') => row.push(std::mem::take(&mut cell)),
            (false, '\r') => {}
            (false, '\n') => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (_, c) => cell.push(c),
        }
    }
    assert!(
        !quoted && cell.is_empty() && row.is_empty(),
        "the file ends with a whole row"
    );
    rows
}

#[tokio::test]
async fn no_cell_of_the_csv_is_a_formula_and_every_text_comes_back() {
    let server = hostile_server().await;
    let (name, text) = export(&server, "format=csv").await;
    assert!(name.ends_with(".csv\""), "{name}");
    let rows = read_csv(&text);
    assert_eq!(rows.len(), HOSTILE.len() + 1);
    assert_eq!(
        rows[0][..5],
        ["timestamp", "machine_id", "level", "component", "message"]
    );
    for (row, sent) in rows[1..].iter().zip(HOSTILE) {
        assert_eq!(row.len(), rows[0].len());
        for cell in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                "{cell:?}"
            );
        }
        assert_eq!(row[1], "'-VM");
        assert_eq!(row[4].strip_prefix('\'').unwrap_or(&row[4]), sent);
    }
}

#[tokio::test]
async fn text_has_a_line_an_entry_and_no_control_characters() {
    let server = hostile_server().await;
    let (_, text) = export(&server, "format=txt").await;
    assert_eq!(text.lines().count(), HOSTILE.len());
    assert!(
        !text.chars().any(|c| c != '\n' && c.is_control()),
        "{text:?}"
    );
    assert!(
        !text.contains('\u{202e}') && text.contains("\\u{202e}"),
        "{text}"
    );
}

#[tokio::test]
async fn ndjson_is_every_entry_as_it_is_answered_oldest_first() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    server.must_post(&key, &batch("VM001", 1, 1..=700)).await;
    let (_, text) = export(&server, "format=ndjson").await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let page = server.get("/api/logs?order=asc&limit=1000").await;
    assert_eq!(&Value::from(lines), &page["entries"]);
    let (_, newest_first) = export(&server, "format=ndjson&order=desc&level=INFO").await;
    assert_eq!(newest_first.lines().count(), 700);
    assert_eq!(newest_first.lines().next(), text.lines().last());
    let (_, none) = export(&server, "format=csv&level=ERROR").await;
    assert_eq!(none.lines().count(), 1, "a head and nothing else");
}
