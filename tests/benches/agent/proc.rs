//! What the kernel says of a running process: memory, processor time, wake-ups, bytes written.

use std::time::Duration;

use anyhow::{Context, Result};

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// Resident, shared pages of the binary and of libraries included.
    pub resident: u64,
    /// Its own: heap and stacks.
    pub anonymous: u64,
    /// Resident, with each shared page divided by those who share it.
    pub proportional: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

/// Counters since the process began; take two and subtract.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Processor time of all its threads.
    pub cpu: Duration,
    /// Times that a thread of it was put on a processor.
    pub wakeups: u64,
    /// Bytes that it caused to be written, without the file system's own.
    pub written: u64,
}

impl Counters {
    /// What was counted since `before`.
    pub fn since(self, before: Counters) -> Counters {
        Counters {
            cpu: self.cpu.saturating_sub(before.cpu),
            wakeups: self.wakeups.saturating_sub(before.wakeups),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// Memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(Memory {
        resident: field(&status, "VmRSS:")? * 1024,
        anonymous: field(&status, "RssAnon:")? * 1024,
        proportional: field(&rollup, "Pss:")? * 1024,
        peak: field(&status, "VmHWM:")? * 1024,
    })
}

/// Forgets the peak of memory so far.
pub fn forget_peak(pid: u32) -> Result<()> {
    Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// Counters of a process; its threads live as long as it does.
pub fn counters(pid: u32) -> Result<Counters> {
    let mut all = Counters::default();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        let status = std::fs::read_to_string(task.join("status"))?;
        all.wakeups += field(&status, "voluntary_ctxt_switches:")?;
        all.wakeups += field(&status, "nonvoluntary_ctxt_switches:")?;
        let times = std::fs::read_to_string(task.join("schedstat"))?;
        let on_processor = times.split(' ').next().context("no processor time")?;
        all.cpu += Duration::from_nanos(on_processor.parse()?);
    }
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    all.written = field(&io, "write_bytes:")?;
    Ok(all)
}

fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    let number = number.with_context(|| format!("/proc has no {name}"))?;
    Ok(number.parse()?)
}
