//! The real window under WebDriver: WebKit's own driver starts `vendlog` and hands over its page.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use thirtyfour::{Capabilities, WebDriver};

use crate::desk::{Desk, Group, built};

/// How long the driver may take to answer after its start.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Between two looks at the page.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The page of a running `vendlog`. End it with [`Page::close`]; dropped, its processes are killed.
pub struct Page {
    /// For what the helpers below do not have.
    pub driver: WebDriver,
    process: i32,
    _driver_process: Group,
}

impl Page {
    /// Starts `vendlog` with these arguments on the desk and waits for its page.
    pub async fn open(desk: &Desk, arguments: &[&str]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = desk.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver_process = Group::start(&mut command)?;
        let server = format!("http://127.0.0.1:{port}");
        wait_for_port(port).await?;

        let mut capabilities = Capabilities::new();
        let binary = built("vendlog")?;
        let options = json!({ "binary": binary, "args": arguments });
        capabilities.set("webkitgtk:browserOptions", options)?;
        let driver = WebDriver::new(&server, capabilities)
            .await
            .context("no session")?;
        let process = process_of(&binary, arguments)?;
        Ok(Self {
            driver,
            process,
            _driver_process: driver_process,
        })
    }

    /// Runs a script's function body in the page.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.driver.execute(script, arguments).await?.json().clone())
    }

    /// Waits until the script answers something other than false and null, and answers that.
    pub async fn wait_for(
        &self,
        what: &str,
        within: Duration,
        script: &str,
        arguments: Vec<Value>,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            let answer = self.run(script, arguments.clone()).await?;
            if answer != Value::Null && answer != Value::Bool(false) {
                return Ok(answer);
            }
            if began.elapsed() > within {
                let text = self.run("return document.body.innerText", vec![]).await?;
                bail!("no {what} within {within:?}; the page says:\n{text}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the page shows the text.
    pub async fn sees(&self, text: &str, within: Duration) -> anyhow::Result<()> {
        let script = "return document.body.innerText.includes(arguments[0])";
        self.wait_for(&format!("{text:?}"), within, script, vec![json!(text)])
            .await?;
        Ok(())
    }

    /// Saves what the window shows as a picture.
    pub async fn picture(&self, file: &Path) -> anyhow::Result<()> {
        let png = self.driver.screenshot_as_png().await?;
        std::fs::write(file, png)?;
        Ok(())
    }

    /// Ends the app as the system would, and waits until it has closed its store.
    pub async fn close(self, within: Duration) -> anyhow::Result<()> {
        // SAFETY: kill takes two integers; the process is the one that our driver started.
        unsafe { libc::kill(self.process, libc::SIGTERM) };
        let began = Instant::now();
        while Path::new(&format!("/proc/{}", self.process)).exists() && !is_zombie(self.process) {
            ensure!(
                began.elapsed() < within,
                "vendlog did not end within {within:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// The process that runs the binary with these arguments: the driver does not tell its number.
fn process_of(binary: &Path, arguments: &[&str]) -> anyhow::Result<i32> {
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let mut line = Vec::new();
        let Ok(mut file) = std::fs::File::open(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        if file.read_to_end(&mut line).is_err() {
            continue;
        }
        let mut parts = line.split(|byte| *byte == 0);
        let is_binary = parts.next() == Some(binary.as_os_str().as_encoded_bytes());
        let rest: Vec<&[u8]> = parts.collect();
        if is_binary
            && arguments
                .iter()
                .all(|argument| rest.contains(&argument.as_bytes()))
        {
            return Ok(pid);
        }
    }
    bail!("the driver started no {}", binary.display())
}

fn is_zombie(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn wait_for_port(port: u16) -> anyhow::Result<()> {
    let began = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        ensure!(
            began.elapsed() < ANSWER_WITHIN,
            "WebKitWebDriver does not answer"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
