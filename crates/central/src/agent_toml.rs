//! The `agent.toml` that a newly added machine needs, ready to copy. It never holds the key.

use store::Machine;

use crate::app::ServerInfo;

/// Where the agent's package keeps the key.
const KEY_FILE: &str = "/etc/vendlog/api_key";
/// The zone shown for a machine that was added without one: the fleet's home.
const DEFAULT_ZONE: &str = "America/Los_Angeles";

/// The configuration of this machine's agent against this server.
pub fn agent_toml(machine: &Machine, server: &ServerInfo) -> String {
    let zone = match machine.timezone.as_str() {
        "" => DEFAULT_ZONE,
        zone => zone,
    };
    let url = server.url.as_deref().unwrap_or("https://this-pc:4433");
    let pin = match server.pin.as_deref() {
        Some(pin) => format!("pin = {}\n", quoted(pin)),
        None => String::new(),
    };
    format!(
        "machine_id = {id}\n\
         state_dir = \"/var/lib/vendlog-agent\"\n\
         \n\
         [[input]]\n\
         kind = \"file\"\n\
         path = \"/home/pi/soap/last_tx_log.log\"    # the log that your application writes\n\
         format = \"python\"\n\
         timezone = {zone}\n\
         pack = \"soap\"\n\
         \n\
         [wifi]\n\
         enabled = true\n\
         url = {url}    # must be reachable from the machine\n\
         api_key_file = \"{KEY_FILE}\"    # put the machine's key into this file (mode 0600)\n\
         {pin}\
         mode = \"interval\"\n\
         send_interval_s = 300\n\
         \n\
         [heartbeat]\n\
         interval_s = 300\n",
        id = quoted(machine.id.as_str()),
        zone = quoted(zone),
        url = quoted(url),
    )
}

/// A TOML basic string; what goes in was checked to hold no control characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use wire::Micros;

    use super::*;

    #[test]
    fn it_is_toml_with_the_server_and_the_machine_in_it() {
        let machine = Machine {
            id: "VM001".parse().unwrap(),
            name: "Lobby".into(),
            location: String::new(),
            timezone: "Europe/Berlin".into(),
            site: String::new(),
            route: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: Vec::new(),
            created_at: Micros(0),
        };
        let server = ServerInfo {
            url: Some("https://ops:4433".into()),
            pin: Some("sha256/abc=".into()),
            listen_error: None,
        };
        let read: toml::Table = agent_toml(&machine, &server).parse().unwrap();
        assert_eq!(read["machine_id"].as_str(), Some("VM001"));
        assert_eq!(read["wifi"]["url"].as_str(), Some("https://ops:4433"));
        assert_eq!(read["wifi"]["pin"].as_str(), Some("sha256/abc="));
        assert_eq!(read["input"][0]["timezone"].as_str(), Some("Europe/Berlin"));
        assert!(!read.contains_key("eport"));
    }
}
