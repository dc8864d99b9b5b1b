//! What xtask tells the person in front of it: calm lines with the topic first.

use std::time::Duration;

/// One line, such as `demo      data in target/demo`.
pub fn say(topic: &str, text: impl AsRef<str>) {
    eprintln!("{topic:<9} {}", text.as_ref());
}

/// `0.4 s`, `38 s`, `4 min 05 s`.
pub fn duration(spent: Duration) -> String {
    let seconds = spent.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", spent.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
