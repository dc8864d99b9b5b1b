//! `agent.toml` as text that is edited in place: comments, order and all other keys stay.

use std::fmt;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value, value};
use wire::PairingCode;

use crate::config::line_of;
use crate::wifi::pin::format_pin;

/// The text, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Document(DocumentMut);

impl Document {
    /// Takes a text apart; what is wrong comes with its line.
    pub(super) fn parse(text: &str) -> Result<Document, String> {
        text.parse()
            .map(Document)
            .map_err(|error: toml_edit::TomlError| {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                format!("line {line}: {}", error.message().replace('\n', " "))
            })
    }

    pub(super) fn machine_id(&self) -> Option<String> {
        self.0.get("machine_id")?.as_str().map(str::to_owned)
    }

    pub(super) fn state_dir(&self) -> Option<PathBuf> {
        self.0.get("state_dir")?.as_str().map(PathBuf::from)
    }

    pub(super) fn key_file(&self) -> Option<PathBuf> {
        self.wifi("api_key_file").map(PathBuf::from)
    }

    pub(super) fn proxy(&self) -> Option<String> {
        self.wifi("proxy").map(str::to_owned)
    }

    fn wifi(&self, key: &str) -> Option<&str> {
        self.0.get("wifi")?.get(key)?.as_str()
    }

    /// Makes it the configuration of the code's machine and server; says what changes.
    pub(super) fn pair(
        &mut self,
        code: &PairingCode,
        key_file: &Path,
    ) -> Result<Vec<String>, String> {
        let mut changes = Vec::new();
        let id = code.machine_id.as_str();
        set(
            self.0.as_table_mut(),
            "machine_id",
            id.into(),
            "",
            &mut changes,
        );
        let wifi = self.0.entry("wifi").or_insert(Item::Table(Table::new()));
        let wifi = wifi
            .as_table_mut()
            .ok_or("wifi is not a section; write it as [wifi]")?;
        let pin = format_pin(&code.pin);
        let key_file = key_file.display().to_string();
        if wifi
            .get("enabled")
            .is_some_and(|on| on.as_bool() != Some(true))
        {
            set(wifi, "enabled", true.into(), "wifi.", &mut changes);
        }
        set(wifi, "url", code.url.as_str().into(), "wifi.", &mut changes);
        set(wifi, "pin", pin.into(), "wifi.", &mut changes);
        set(wifi, "api_key_file", key_file.into(), "wifi.", &mut changes);
        // What belongs to another server would let that one in, or keep this one out.
        for key in ["backup_pin", "ca_file"] {
            if let Some(old) = wifi.remove(key) {
                changes.push(format!("wifi.{key}: {} -> removed", shown(&old)));
            }
        }
        Ok(changes)
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sets a value and keeps what stands around it, the comment behind it above all.
fn set(table: &mut Table, key: &str, new: Value, section: &str, changes: &mut Vec<String>) {
    let old = table.get(key).and_then(Item::as_value);
    let shown_new = new.to_string();
    let shown_old = match old {
        Some(old) => shown(&Item::Value(old.clone())),
        None => "not set".to_owned(),
    };
    if shown_old == shown_new {
        return;
    }
    changes.push(format!("{section}{key}: {shown_old} -> {shown_new}"));
    let decor = old.map(|old| old.decor().clone());
    table[key] = value(new);
    if let (Some(decor), Some(new)) = (decor, table[key].as_value_mut()) {
        *new.decor_mut() = decor;
    }
}

/// A value without what stands around it.
fn shown(item: &Item) -> String {
    match item.as_value() {
        Some(value) => {
            let mut value = value.clone();
            value.decor_mut().clear();
            value.to_string()
        }
        None => "something else".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> PairingCode {
        PairingCode {
            machine_id: "VM042".parse().unwrap(),
            url: "https://new-pc:4433".to_owned(),
            pin: [7; 32],
            secret: [9; 32],
        }
    }

    #[test]
    fn a_configuration_is_edited_in_place_and_every_comment_stays() {
        let text = "# our machine\nmachine_id = \"VM001\"   # in the lobby\nstate_dir = '/s'\n\n\
            [[input]]   # the log\nkind = \"file\"\n\n[wifi]\nenabled = false  # until paired\n\
            url = \"https://old\"  # the PC\nlevels = [\"ERROR\"]\nbackup_pin = \"sha256/x\"\n\
            api_key_file = \"/k\" # secret\n";
        let mut document = Document::parse(text).unwrap();
        let changes = document.pair(&code(), Path::new("/k")).unwrap();
        let pin = format_pin(&[7; 32]);
        assert_eq!(
            changes,
            [
                "machine_id: \"VM001\" -> \"VM042\"".to_owned(),
                "wifi.enabled: false -> true".to_owned(),
                "wifi.url: \"https://old\" -> \"https://new-pc:4433\"".to_owned(),
                format!("wifi.pin: not set -> \"{pin}\""),
                "wifi.backup_pin: \"sha256/x\" -> removed".to_owned(),
            ]
        );
        let wanted = text
            .replace("VM001", "VM042")
            .replace("enabled = false", "enabled = true")
            .replace("https://old", "https://new-pc:4433")
            .replace("backup_pin = \"sha256/x\"\n", "")
            + &format!("pin = \"{pin}\"\n");
        assert_eq!(document.to_string(), wanted);
        let again = document.pair(&code(), Path::new("/k")).unwrap();
        assert!(
            again.is_empty(),
            "the second time nothing changes: {again:?}"
        );
    }

    #[test]
    fn a_configuration_without_a_server_gets_one() {
        let mut document = Document::parse("state_dir = \"/s\"\n[local]\nfiles = 3\n").unwrap();
        document
            .pair(&code(), Path::new("/etc/vendlog/api_key"))
            .unwrap();
        let read: toml::Table = document.to_string().parse().unwrap();
        assert_eq!(read["machine_id"].as_str(), Some("VM042"));
        assert_eq!(read["wifi"]["url"].as_str(), Some("https://new-pc:4433"));
        assert_eq!(read["local"]["files"].as_integer(), Some(3));
    }

    #[test]
    fn what_cannot_be_edited_is_named_with_its_line() {
        let error = Document::parse("a = 1\nb = [\n").unwrap_err();
        assert!(error.starts_with("line "), "{error}");
        let mut inline = Document::parse("wifi = 3\n").unwrap();
        assert!(inline.pair(&code(), Path::new("/k")).is_err());
    }
}
