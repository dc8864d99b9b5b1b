//! The names under which this computer may be reached.

/// This computer's name on its network, where the system tells it.
pub fn host_name() -> Option<String> {
    let name = system_name()?;
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.len() <= 253 && name.chars().all(plain)).then(|| name.to_owned())
}

/// Names and addresses for the certificate.
pub fn subject_names() -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    names.extend(host_name().filter(|name| !names.contains(name)));
    names
}

#[cfg(target_os = "linux")]
fn system_name() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok()
}

#[cfg(windows)]
fn system_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

#[cfg(not(any(target_os = "linux", windows)))]
fn system_name() -> Option<String> {
    std::env::var("HOSTNAME").ok()
}
