//! `check --online`: asks the server with an empty batch, which changes nothing there, and says what
//! came back.

use crate::config::{Config, Wifi};
use crate::wifi::{Client, Failure};

use super::Findings;

/// Tries the connection of `[wifi]` once.
///
/// # Errors
/// The system gives no runtime for it.
pub fn online(config: &Config, findings: &mut Findings) -> std::io::Result<()> {
    let Some(wifi) = &config.wifi else {
        findings
            .remarks
            .push("[wifi] is off: there is no server to try".to_owned());
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(ask(config, wifi)) {
        Ok(()) => findings.remarks.push(format!(
            "{} was reached, its certificate is the right one, and it accepts this machine's key",
            wifi.url
        )),
        Err(why) => findings.mistakes.push(format!("wifi: {why}")),
    }
    Ok(())
}

async fn ask(config: &Config, wifi: &Wifi) -> Result<(), String> {
    let client = Client::new(wifi).map_err(|error| error.to_string())?;
    let empty = serde_json::json!({"machine_id": config.machine_id, "logs": []});
    match client.logs(empty.to_string().as_bytes()).await {
        Ok(_) => Ok(()),
        Err(Failure::Hold { why, .. }) => Err(why),
        Err(Failure::Refused { why, .. }) => Err(format!(
            "{} refuses even an empty batch ({why}); is it this product's server?",
            wifi.url
        )),
        Err(Failure::Retry { why, .. }) => Err(format!(
            "{why}; is the operations PC on, is the address right, may this network reach it?"
        )),
    }
}
