//! The real desktop app on a real X display: WebDriver at the page, xdotool at the dialogs, an own
//! session bus for the notifications.

mod desk;
mod driver;
mod notifications;

use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn smoke() -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let desk = desk::Desk::new()?;
    let notifications = notifications::Notifications::on_bus(desk.bus_address()).await?;
    let data = desk.home().join("store");
    let data = data.to_str().unwrap();
    let t = std::time::Instant::now();
    let page = driver::Page::open(&desk, &["--data", data, "--listen", "127.0.0.1:0"]).await?;
    eprintln!("open {:?} {:?}", t.elapsed(), page.run("return [location.href, document.title, innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]", vec![]).await?);
    page.picture(std::path::Path::new("/tmp/page.png")).await?;
    eprintln!("picture {:?}", t.elapsed());
    let script = "const done = arguments[arguments.length-1]; window.got=[]; 
      const i = window.__TAURI_INTERNALS__; 
      i.invoke('api', {method:'GET', path:'/api/who', headers:{}, body:null}).then(b => done(new TextDecoder().decode(b)), e => done('ERR '+JSON.stringify(e)+e))";
    let r = page.driver.execute_async(script, vec![]).await?;
    eprintln!("{:?}", r.json());
    let script = "const done = arguments[arguments.length-1]; const t=performance.now();
      const i = window.__TAURI_INTERNALS__; 
      i.invoke('api', {method:'GET', path:'/api/big', headers:{}, body:null}).then(b => done([b.constructor.name, b.byteLength, performance.now()-t]), e => done('ERR '+JSON.stringify(e)+e))";
    eprintln!(
        "{:?}",
        page.driver.execute_async(script, vec![]).await?.json()
    );
    let script = "const done = arguments[arguments.length-1]; window.got=[]; 
      const i = window.__TAURI_INTERNALS__; const cb = i.transformCallback(m => window.got.push(m), false);
      i.invoke('subscribe', {channel: '__CHANNEL__:'+cb, after:null}).then(b => done(b), e => done('ERR '+JSON.stringify(e)+e))";
    eprintln!(
        "{:?}",
        page.driver.execute_async(script, vec![]).await?.json()
    );
    let n = notifications.first(Duration::from_secs(8)).await?;
    eprintln!("{n:?}");
    notifications.click(n.id).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    eprintln!("{}", page.run("return window.got", vec![]).await?);
    let script = "window.result = null; const i = window.__TAURI_INTERNALS__; window.prog=[]; const cb = i.transformCallback(m => window.prog.push(m), false);
      i.invoke('export', {query:'level=WARN', format:'ndjson', onProgress: '__CHANNEL__:'+cb}).then(b => window.result=b, e => window.result=['ERR', e, ''+e]); return 1";
    page.run(script, vec![]).await?;
    let target = desk.home().join("found.ndjson");
    tokio::task::block_in_place(|| ());
    desk.type_into(
        "Export log entries",
        &[
            desk::Keys::Press("ctrl+a"),
            desk::Keys::Text(target.to_str().unwrap()),
            desk::Keys::Press("Return"),
        ],
    )?;
    let r = page
        .wait_for(
            "result",
            Duration::from_secs(10),
            "return window.result",
            vec![],
        )
        .await?;
    eprintln!("{r} {}", page.run("return window.prog", vec![]).await?);
    eprintln!("{:?}", std::fs::metadata(&target)?);
    eprintln!("{:?}", page.driver.execute_async("const done = arguments[arguments.length-1]; window.__TAURI_INTERNALS__.invoke('plugin:dialog|message', {message:'x'}).then(b => done(b), e => done('ERR '+e))", vec![]).await?.json());
    page.run("location.href='https://example.org/'; return 1", vec![])
        .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    eprintln!("{:?}", page.run("return location.href", vec![]).await?);
    page.run(
        "history.pushState({}, '', '/machines/VM001?x=1'); location.reload(); return 1",
        vec![],
    )
    .await?;
    tokio::time::sleep(Duration::from_millis(800)).await;
    eprintln!("{:?}", page.run("return [location.href, document.title, performance.now(), document.documentElement.outerHTML]", vec![]).await?);
    page.picture(std::path::Path::new("/tmp/page.png")).await?;
    let t = std::time::Instant::now();
    let out = desk
        .command(desk::built("vendlog")?)
        .args(["--data", data])
        .output()?;
    eprintln!("second: {:?} {:?}", out, t.elapsed());
    page.close(Duration::from_secs(20)).await?;
    let _: Vec<Value> = vec![json!(1)];
    Ok(())
}
