//! The texts in which Linux and the firmware of a Raspberry Pi say how the machine is. Text in,
//! values out; reading them is `machine`.

use wire::Throttled;
use wire::health::UNDER_VOLTAGE;

/// The bits of `get_throttled`; 16 higher stand the same for the time since boot.
const THROTTLED_BITS: [(u32, &str); 4] = [
    (0, UNDER_VOLTAGE),
    (1, "frequency_capped"),
    (2, "throttled"),
    (3, "soft_temperature_limit"),
];
const SINCE_BOOT_SHIFT: u32 = 16;

/// Some drivers give the level as the byte that the kernel keeps it in: 204 is -52 dBm. Smaller
/// numbers are a quality, and no dBm at all.
const LEVEL_BYTE_FROM: f64 = 128.0;
const LEVEL_BYTE_RANGE: f64 = 256.0;

/// The firmware's `get_throttled`: hexadecimal, with `0x` or without, as in `50005` or as
/// `vcgencmd` says it in `throttled=0x50005`.
pub(super) fn throttled(text: &str) -> Option<Throttled> {
    let text = text.trim();
    let text = text.strip_prefix("throttled=").unwrap_or(text);
    let bits = u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()?;
    let words = |shift: u32| {
        let is_set = |(bit, _): &&(u32, &str)| bits >> (bit + shift) & 1 == 1;
        let set = THROTTLED_BITS.iter().filter(is_set);
        set.map(|(_, word)| (*word).to_owned()).collect()
    };
    Some(Throttled {
        now: words(0),
        since_boot: words(SINCE_BOOT_SHIFT),
    })
}

/// The signal of the first interface of `/proc/net/wireless` that has one, in dBm.
pub(super) fn wifi_signal_dbm(text: &str) -> Option<i32> {
    let interfaces = text.lines().filter_map(|line| line.split_once(':'));
    let level = |columns: &str| -> Option<i32> {
        // Status, link quality, level; a dot marks a value that was updated since the last read.
        let level = columns.split_whitespace().nth(2)?;
        let level: f64 = level.trim_end_matches('.').parse().ok()?;
        match level {
            byte if (LEVEL_BYTE_FROM..LEVEL_BYTE_RANGE).contains(&byte) => {
                Some((byte - LEVEL_BYTE_RANGE) as i32)
            }
            // -256 is what the kernel writes for "not known".
            dbm if dbm < 0.0 && dbm > -LEVEL_BYTE_RANGE => Some(dbm as i32),
            _ => None,
        }
    };
    interfaces.filter_map(|(_, columns)| level(columns)).next()
}

/// A line of `/proc/meminfo`, such as `MemAvailable`, in bytes.
pub(super) fn memory_bytes(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        let kilobytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kilobytes.checked_mul(1024)
    };
    text.lines().find_map(value)
}

/// The load of the last minute, the first number of `/proc/loadavg`.
pub(super) fn load_1m(text: &str) -> Option<f64> {
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    load.is_finite().then_some(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(now: &[&str], since_boot: &[&str]) -> Option<Throttled> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Some(Throttled {
            now: owned(now),
            since_boot: owned(since_boot),
        })
    }

    #[test]
    fn the_firmware_tells_what_is_and_what_was() {
        assert_eq!(throttled("0\n"), words(&[], &[]));
        let both = ["under_voltage", "throttled"];
        assert_eq!(throttled("50005\n"), words(&both, &both));
        assert_eq!(throttled("throttled=0x50000\n"), words(&[], &both));
        let hot = ["soft_temperature_limit"];
        assert_eq!(throttled("0x80008"), words(&hot, &hot));
        let all = [
            "under_voltage",
            "frequency_capped",
            "throttled",
            "soft_temperature_limit",
        ];
        assert_eq!(throttled("f000f"), words(&all, &all));
        assert_eq!(throttled(""), None);
        assert_eq!(throttled("VCHI initialization failed"), None);
    }

    const HEAD: &str = "\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
";

    #[test]
    fn the_signal_is_read_from_the_table_of_a_pi() {
        let wlan = format!(
            "{HEAD} wlan0: 0000   58.  -52.  -256        0      0      0      0     64        0\n"
        );
        assert_eq!(wifi_signal_dbm(&wlan), Some(-52));
        let byte = format!("{HEAD}wlan1: 0000   70.  204.  0.  0  0  0  0  0  0\n");
        assert_eq!(wifi_signal_dbm(&byte), Some(-52));
    }

    #[test]
    fn without_wifi_there_is_no_signal() {
        for rows in [
            "",
            " wlan0: 0000    0     0     0        0      0      0      0      0        0\n",
            " wlan0: 0000    0.  -256.  -256      0      0      0      0      0        0\n",
            " wlan0: 0000   58.    58.     0      0      0      0      0      0        0\n",
            " wlan0: 0000\n",
        ] {
            assert_eq!(wifi_signal_dbm(&format!("{HEAD}{rows}")), None, "{rows}");
        }
    }

    #[test]
    fn memory_and_load_are_read_from_the_texts_of_the_kernel() {
        let text = "MemTotal:        3884428 kB\nMemFree:          184000 kB\n\
                    MemAvailable:    2911112 kB\nHugePages_Total:       0\n";
        assert_eq!(memory_bytes(text, "MemTotal"), Some(3_884_428 * 1024));
        assert_eq!(memory_bytes(text, "MemAvailable"), Some(2_911_112 * 1024));
        assert_eq!(memory_bytes(text, "HugePages_Total"), None);
        assert_eq!(memory_bytes(text, "Mem"), None);
        assert_eq!(load_1m("0.52 0.58 0.59 1/467 12345\n"), Some(0.52));
        assert_eq!(load_1m(""), None);
    }
}
