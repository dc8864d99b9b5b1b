//! What Linux says of the machine. Whatever it does not say is left out.

use std::ffi::CString;
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use wire::Throttled;
use wire::health::UNDER_VOLTAGE;

use super::formats;

/// The driver of a Raspberry Pi's firmware: its devices tell of throttling. Where they lie differs
/// from model to model, this link does not.
const FIRMWARE: &str = "/sys/bus/platform/drivers/raspberrypi-firmware";
/// Sensors; one of them watches the voltage of a Raspberry Pi.
const SENSORS: &str = "/sys/class/hwmon";

/// Seconds since boot.
pub(super) fn uptime_s() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.trim().parse().ok()
}

/// Memory that programs could still take, and all there is.
pub(super) fn memory_bytes() -> (Option<u64>, Option<u64>) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |name| formats::memory_bytes(&text, name);
    (bytes("MemAvailable"), bytes("MemTotal"))
}

/// Programs that want the processor, averaged over a minute.
pub(super) fn load_1m() -> Option<f64> {
    formats::load_1m(&fs::read_to_string("/proc/loadavg").ok()?)
}

/// The signal of the WiFi, in dBm.
pub(super) fn wifi_signal_dbm() -> Option<i32> {
    formats::wifi_signal_dbm(&fs::read_to_string("/proc/net/wireless").ok()?)
}

/// The first thermal zone; on a Raspberry Pi that is the processor.
pub(super) fn cpu_temperature_c() -> Option<f64> {
    let text = fs::read_to_string("/sys/class/thermal/thermal_zone0/temp").ok()?;
    let millidegrees: f64 = text.trim().parse().ok()?;
    Some(millidegrees / 1000.0)
}

/// Power and heat, where there is a Raspberry Pi to tell.
pub(super) fn throttled() -> Option<Throttled> {
    throttled_in(Path::new(FIRMWARE), Path::new(SENSORS))
}

/// The firmware's word, and the voltage sensor's: it looks every 2 s, and clears what the firmware
/// remembers.
fn throttled_in(firmware: &Path, sensors: &Path) -> Option<Throttled> {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let told = entries(firmware).find_map(|device| read(device.join("get_throttled")));
    let told = told.and_then(|text| formats::throttled(&text));
    let is_voltage =
        |sensor: &PathBuf| read(sensor.join("name")).is_some_and(|name| name.trim() == "rpi_volt");
    let alarm = entries(sensors)
        .find(is_voltage)
        .and_then(|sensor| read(sensor.join("in0_lcrit_alarm")));
    if told.is_none() && alarm.is_none() {
        return None;
    }
    let mut told = told.unwrap_or_default();
    let is_known = told.now.iter().any(|word| word == UNDER_VOLTAGE);
    if !is_known && alarm.is_some_and(|alarm| alarm.trim() == "1") {
        told.now.insert(0, UNDER_VOLTAGE.to_owned());
    }
    Some(told)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Free bytes, for ordinary users, on the disk that holds `path`.
pub fn disk_free_bytes(path: &Path) -> Option<u64> {
    disk_bytes(path).map(|(free, _)| free)
}

/// Free bytes, for ordinary users, and all bytes of the disk that holds `path`.
pub(super) fn disk_bytes(path: &Path) -> Option<(u64, u64)> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends in NUL, and `stat` is written before it is read.
    let stat = unsafe {
        if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    // The fields are narrower on a 32-bit Pi.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    let (free, all, size) = (
        stat.f_bavail as u64,
        stat.f_blocks as u64,
        stat.f_frsize as u64,
    );
    Some((free.checked_mul(size)?, all.checked_mul(size)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_uptime_memory_load_and_disk() {
        assert!(uptime_s().is_some_and(|uptime| uptime > 0));
        let (available, total) = memory_bytes();
        assert!(available.is_some_and(|bytes| bytes > 1024 * 1024) && available < total);
        assert!(load_1m().is_some());
        let (free, total) = disk_bytes(Path::new("/")).unwrap();
        assert!(free <= total && total > 0);
        assert!(disk_free_bytes(Path::new("/no/such/place")).is_none());
    }

    #[test]
    fn a_pi_tells_of_its_power_and_another_machine_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let (firmware, sensors) = (dir.path().join("firmware"), dir.path().join("hwmon"));
        assert_eq!(throttled_in(&firmware, &sensors), None);
        let device = firmware.join("soc:firmware");
        let (heat, volt) = (sensors.join("hwmon0"), sensors.join("hwmon1"));
        for folder in [&device, &heat, &volt] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(heat.join("name"), "cpu_thermal\n").unwrap();
        assert_eq!(throttled_in(&firmware, &sensors), None);
        fs::write(volt.join("name"), "rpi_volt\n").unwrap();
        fs::write(volt.join("in0_lcrit_alarm"), "0\n").unwrap();
        assert_eq!(
            throttled_in(&firmware, &sensors),
            Some(Throttled::default())
        );
        fs::write(volt.join("in0_lcrit_alarm"), "1\n").unwrap();
        fs::write(device.join("get_throttled"), "40004\n").unwrap();
        let told = throttled_in(&firmware, &sensors).unwrap();
        assert_eq!(told.now, ["under_voltage", "throttled"]);
        assert_eq!(told.since_boot, ["throttled"]);
    }
}
