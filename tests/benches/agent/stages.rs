//! What is done to the peers: idle, a burst, hours at the true pace, a spool that fills and drains.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tests::wait::{self, seconds};
use tests::{Link, Proxy, Server};

use crate::disk::Disk;
use crate::feed::{Moment, pace};
use crate::peer::{Kind, Peer};
use crate::proc::{Memory, forget_peak, memory};
use crate::sqlite::Sqlite;

/// Before anything is measured: buffers grown, connections made and let go, start-up writes done.
const SETTLE: Duration = seconds(8);
/// Moments of the warming up, about 200 lines.
const WARM_MOMENTS: usize = 95;
/// Lines of the burst, and the pause between two moments of it.
const BURST_LINES: usize = 1_000;
const BURST_PAUSE: Duration = Duration::from_millis(20);
/// The spool that is filled: small enough to be filled soon.
const SPOOL_BYTES: u64 = 16 * 1024 * 1024;
/// Reading has paused when nothing was appended for so long.
const PAUSED: Duration = seconds(6);
const PATIENCE: Duration = seconds(300);

/// One turn of one peer: idle, then a burst.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// After the idle time.
    pub memory: Memory,
    /// While idle, a second.
    pub wakeups: f64,
    /// Processor seconds of an idle hour.
    pub idle_cpu_s_an_hour: f64,
    /// Processor seconds of 1,000 entries in a burst.
    pub cpu_s_1000: f64,
    /// Bytes that reached the device in the burst, per byte of its lines.
    pub burst_device: Option<f64>,
}

/// Idle for `idle`, then 1,000 lines in about 10 s.
pub fn turn(
    kind: Kind,
    folder: &Path,
    server: &Server,
    id: &str,
    moments: &[Moment],
    idle: Duration,
) -> Result<Turn> {
    let mut peer = Peer::start(kind, folder, server, id, "")?;
    for moment in &moments[..WARM_MOMENTS] {
        peer.write(moment)?;
    }
    peer.wait();
    std::thread::sleep(SETTLE);
    let before = peer.counters()?;
    std::thread::sleep(idle);
    let idled = peer.counters()?.since(before);
    let memory = memory(peer.pid())?;

    let device = peer.disk.written()?;
    let before = peer.counters()?;
    let (lines, logical) = burst(moments, |moment| peer.write(moment))?;
    peer.wait();
    let burst = peer.counters()?.since(before);
    let device = peer.disk.written()?.zip(device);
    peer.stop();
    Ok(Turn {
        memory,
        wakeups: idled.wakeups as f64 / idle.as_secs_f64(),
        idle_cpu_s_an_hour: idled.cpu.as_secs_f64() * 3_600.0 / idle.as_secs_f64(),
        cpu_s_1000: burst.cpu.as_secs_f64() * 1_000.0 / lines as f64,
        burst_device: device.map(|(now, before)| (now - before) as f64 / logical as f64),
    })
}

/// About 1,000 lines in about 10 s; how many they were, and their bytes.
fn burst(
    moments: &[Moment],
    mut write: impl FnMut(&Moment) -> Result<()>,
) -> Result<(usize, usize)> {
    let (mut lines, mut bytes) = (0, 0);
    for moment in &moments[WARM_MOMENTS..] {
        if lines >= BURST_LINES {
            break;
        }
        write(moment)?;
        lines += moment.len();
        bytes += moment.iter().map(String::len).sum::<usize>();
        std::thread::sleep(BURST_PAUSE);
    }
    Ok((lines, bytes))
}

/// What the burst costs SQLite: bytes to the device per byte of its lines.
pub fn sqlite_burst(folder: &Path, moments: &[Moment]) -> Result<Option<f64>> {
    std::fs::create_dir_all(folder)?;
    let sqlite = Sqlite::create(Disk::new(folder)?)?;
    for moment in &moments[..WARM_MOMENTS] {
        sqlite.write(moment)?;
    }
    let before = sqlite.disk.written()?;
    let (_, bytes) = burst(moments, |moment| sqlite.write(moment))?;
    let device = sqlite.disk.written()?.zip(before);
    Ok(device.map(|(now, before)| (now - before) as f64 / bytes as f64))
}

/// What one peer did at the true pace.
#[derive(Debug, Clone)]
pub struct Paced {
    /// Who; `None` is SQLite.
    pub kind: Option<Kind>,
    /// Bytes of the lines.
    pub logical: u64,
    /// Bytes that the process wrote; unknown for SQLite, which works inside the benchmark.
    pub written: Option<u64>,
    /// Bytes that reached the device, the file system's own included.
    pub device: Option<u64>,
    /// Processor seconds an hour.
    pub cpu_s_an_hour: Option<f64>,
    /// Times a second that it was woken.
    pub wakeups: Option<f64>,
}

/// All peers at once, each with its own log and disk, fed 1,000 entries an hour for `time`.
pub fn paced(
    folder: &Path,
    server: &Server,
    moments: &[Moment],
    time: Duration,
) -> Result<Vec<Paced>> {
    let kinds = [Kind::Agent, Kind::Rsyslog, Kind::RsyslogSynced];
    let mut peers = Vec::new();
    for kind in kinds.into_iter().filter(|kind| kind.is_here()) {
        let folder = folder.join(kind.name());
        peers.push((kind, Peer::start(kind, &folder, server, "PACED", "")?));
    }
    let folder = folder.join("sqlite");
    std::fs::create_dir_all(&folder)?;
    let sqlite = Sqlite::create(Disk::new(&folder)?)?;
    let mut feed = |moment: &Moment| -> Result<()> {
        for (_, peer) in &mut peers {
            peer.write(moment)?;
        }
        sqlite.write(moment)
    };
    for moment in &moments[..WARM_MOMENTS] {
        feed(moment)?;
    }
    std::thread::sleep(SETTLE);
    let sqlite_before = sqlite.disk.written()?;
    let mut before = Vec::new();
    for (_, peer) in &peers {
        before.push((peer.counters()?, peer.disk.written()?));
    }
    let mut feed = |moment: &Moment| -> Result<()> {
        for (_, peer) in &mut peers {
            peer.write(moment)?;
        }
        sqlite.write(moment)
    };
    let began = Instant::now();
    let (mut lines, mut logical) = (0, 0);
    for moment in &moments[WARM_MOMENTS..] {
        if began.elapsed() >= time {
            break;
        }
        feed(moment)?;
        lines += moment.len();
        logical += moment.iter().map(String::len).sum::<usize>() as u64;
        std::thread::sleep(pace(lines).saturating_sub(began.elapsed()));
    }
    ensure!(lines > 0, "nothing was written");
    let hours = began.elapsed().as_secs_f64() / 3_600.0;
    peers.iter().for_each(|(_, peer)| peer.wait());
    let of_device = |disk: &Disk, before: Option<u64>| -> Result<Option<u64>> {
        Ok(disk
            .written()?
            .zip(before)
            .map(|(now, before)| now - before))
    };
    let mut all = Vec::new();
    for ((kind, peer), (counters, device)) in peers.iter().zip(before) {
        let used = peer.counters()?.since(counters);
        all.push(Paced {
            kind: Some(*kind),
            logical,
            written: Some(used.written),
            device: of_device(&peer.disk, device)?,
            cpu_s_an_hour: Some(used.cpu.as_secs_f64() / hours),
            wakeups: Some(used.wakeups as f64 / hours / 3_600.0),
        });
    }
    all.push(Paced {
        kind: None,
        logical,
        written: None,
        device: of_device(&sqlite.disk, sqlite_before)?,
        cpu_s_an_hour: None,
        wakeups: None,
    });
    peers.into_iter().for_each(|(_, peer)| peer.stop());
    Ok(all)
}

/// Memory of an agent whose spool is full, and the most of it while it drains.
#[derive(Debug, Clone, Copy)]
pub struct Full {
    /// Bytes of the spool.
    pub spool_bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// Paused.
    pub paused: Memory,
    /// Drained; its peak is that of the drain.
    pub drained: Memory,
    /// How long the drain took.
    pub took: Duration,
}

/// Fills the spool of an agent without a link, then opens the link.
pub fn full(folder: &Path, server: &Server, moments: &[Moment]) -> Result<Full> {
    let link = Proxy::start(&server.url);
    link.set(Link::Cut);
    let more = format!("[spool]\nmax_bytes = {SPOOL_BYTES}");
    let mut peer = Peer::start_behind(&link, folder, server, "FULL", &more)?;
    let setup = peer.setup()?.clone();
    let status = || setup.run("status").json();
    let number = |name: &str| status().pointer(name).and_then(|n| n.as_u64()).unwrap_or(0);
    let mut last = (0, Instant::now());
    wait::until("the spool to be full", PATIENCE, || {
        let seq = number("/last_seq");
        if seq != last.0 {
            last = (seq, Instant::now());
        }
        if last.1.elapsed() < PAUSED {
            // More than fits into a look's time.
            (last.1.elapsed() < seconds(1)).then(|| moments.iter().try_for_each(|m| peer.write(m)));
            return None;
        }
        Some(())
    });
    let (spool_bytes, entries) = (number("/spool/bytes"), number("/last_seq"));
    let paused = memory(peer.pid())?;
    forget_peak(peer.pid())?;
    link.set(Link::Open);
    let began = Instant::now();
    wait::until("what was spooled to be delivered", PATIENCE, || {
        let bulk = number("/wifi/bulk_cursor");
        if bulk < entries {
            std::thread::sleep(Duration::from_millis(500));
        }
        (bulk >= entries).then_some(())
    });
    let full = Full {
        spool_bytes,
        entries,
        paused,
        drained: memory(peer.pid())?,
        took: began.elapsed(),
    };
    peer.stop();
    Ok(full)
}
