//! What becomes of a simulated machine.

use crate::app::Fault;

/// How a machine of the fleet fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Sells, and declines a card now and then.
    Healthy,
    /// Motor and link fail now and then.
    Troubled,
    /// Stops sending, heartbeats too, some minutes after the start.
    FallsSilent,
    /// Loses a payment or crashes now and then.
    Critical,
}

impl Fate {
    /// The fate of the machine with this place in the fleet. The first four differ; of a larger
    /// fleet most are healthy.
    pub fn of(index: usize) -> Fate {
        match index {
            1 => Fate::Troubled,
            2 => Fate::FallsSilent,
            3 => Fate::Critical,
            n if n > 3 && n % 7 == 0 => Fate::Troubled,
            n if n > 3 && n % 23 == 0 => Fate::Critical,
            _ => Fate::Healthy,
        }
    }

    /// What goes wrong on it by itself.
    pub fn faults(self) -> Vec<Fault> {
        match self {
            Fate::Healthy | Fate::FallsSilent => Vec::new(),
            Fate::Troubled => vec![Fault::Motor, Fault::Link, Fault::SilentReader],
            Fate::Critical => vec![Fault::CrashLoop, Fault::LostPayment],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_of_four_shows_every_fate_and_a_large_one_is_mostly_healthy() {
        let four: Vec<Fate> = (0..4).map(Fate::of).collect();
        let every = [
            Fate::Healthy,
            Fate::Troubled,
            Fate::FallsSilent,
            Fate::Critical,
        ];
        assert_eq!(four, every);
        let healthy = (0..100).filter(|&n| Fate::of(n) == Fate::Healthy).count();
        assert!(healthy > 75, "{healthy} of 100");
    }
}
