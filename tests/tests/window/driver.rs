//! The real window under WebDriver: WebKit's own driver starts `vendlog` and hands over its page.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tests::binaries::binary;
use tests::process::Process;
use thirtyfour::{Capabilities, WebDriver};

use crate::desk::Desk;

/// How long the driver may take to answer after its start.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Between two looks at the page.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// What the page shows of the text in `arguments[0]`, wherever it is.
const SHOWS: &str = "return document.body.innerText.includes(arguments[0])";

/// Clicks what the selector finds and whose text begins with the words.
const CLICK: &str = "const [selector, words] = arguments;
    const found = [...document.querySelectorAll(selector)].find(
        (node) => node.textContent.trim().startsWith(words) && !node.disabled);
    found?.click();
    return Boolean(found)";

/// Replaces what a field holds, as typing does.
const FILL: &str = "const [selector, text] = arguments;
    const field = document.querySelector(selector);
    if (!field) return false;
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    return true";

/// The page of a running `vendlog`. End it with [`Page::close`]; dropped, its processes are killed.
pub struct Page {
    driver: WebDriver,
    process: i32,
    _driver_process: Process,
}

impl Page {
    /// Starts `vendlog` with these arguments on the desk and waits for its page.
    pub async fn open(desk: &Desk, arguments: &[&str]) -> anyhow::Result<Self> {
        // The driver's client and the product use the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = desk.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver_process = Process::start(command, desk.home());
        wait_for_port(port).await?;

        let program = binary("vendlog");
        let mut capabilities = Capabilities::new();
        let options = json!({ "binary": program, "args": arguments });
        capabilities.set("webkitgtk:browserOptions", options)?;
        let server = format!("http://127.0.0.1:{port}");
        let driver = match WebDriver::new(&server, capabilities).await {
            Ok(driver) => driver,
            Err(error) => bail!("no window: {error}\n{}", driver_process.messages()),
        };
        let process = process_of(&program, arguments)?;
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

    /// Runs a script's function body that answers by calling its last argument.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        let answer = self.driver.execute_async(script, arguments).await?;
        Ok(answer.json().clone())
    }

    /// Calls a command of the shell as the page does; answers `[value, null]` or `[null, error]`.
    pub async fn invoke(&self, command: &str, arguments: Value) -> anyhow::Result<Value> {
        let script = "const [command, given, done] = arguments;
            window.__TAURI_INTERNALS__.invoke(command, given)
                .then((value) => done([value, null]), (error) => done([null, error]))";
        self.run_async(script, vec![json!(command), arguments])
            .await
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
                let text = text.as_str().unwrap_or_default();
                bail!("no {what} within {within:?}; the page says:\n{text}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the page shows the text.
    pub async fn sees(&self, text: &str, within: Duration) -> anyhow::Result<()> {
        self.wait_for(&format!("{text:?}"), within, SHOWS, vec![json!(text)])
            .await?;
        Ok(())
    }

    /// Whether the page shows the text now.
    pub async fn shows(&self, text: &str) -> anyhow::Result<bool> {
        Ok(self.run(SHOWS, vec![json!(text)]).await? == json!(true))
    }

    /// Clicks the element that the selector finds and whose text begins with `words`.
    pub async fn click(&self, selector: &str, words: &str) -> anyhow::Result<()> {
        let what = format!("{selector} that says {words:?}");
        let found = vec![json!(selector), json!(words)];
        self.wait_for(&what, ANSWER_WITHIN, CLICK, found).await?;
        Ok(())
    }

    /// Writes into a field.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let given = vec![json!(selector), json!(text)];
        self.wait_for(selector, ANSWER_WITHIN, FILL, given).await?;
        Ok(())
    }

    /// The address shown, from the path on.
    pub async fn address(&self) -> anyhow::Result<String> {
        let script = "return location.pathname + location.search";
        let address = self.run(script, vec![]).await?;
        Ok(address.as_str().context("an address")?.to_owned())
    }

    /// Ends the app as the system would, and waits until it has closed its store.
    pub async fn close(self, within: Duration) -> anyhow::Result<()> {
        // SAFETY: kill takes two integers; the process is the one that our driver started.
        unsafe { libc::kill(self.process, libc::SIGTERM) };
        let began = Instant::now();
        while is_running(self.process) {
            ensure!(
                began.elapsed() < within,
                "vendlog did not end within {within:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// The process that runs the program with these arguments: the driver does not tell its number.
fn process_of(program: &Path, arguments: &[&str]) -> anyhow::Result<i32> {
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(line) = std::fs::read(format!("/proc/{id}/cmdline")) else {
            continue;
        };
        let mut parts = line.split(|byte| *byte == 0);
        let is_program = parts.next() == Some(program.as_os_str().as_encoded_bytes());
        let rest: Vec<&[u8]> = parts.collect();
        if is_program && arguments.iter().all(|word| rest.contains(&word.as_bytes())) {
            return Ok(id);
        }
    }
    bail!("the driver started no {}", program.display())
}

fn is_running(id: i32) -> bool {
    // A process that has ended stays in the list until the driver asks for it.
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
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
