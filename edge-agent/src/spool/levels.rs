//! A set of levels in one byte: what a block has, and what a reader wants.

use wire::Level;

/// A set of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels(u8);

impl Levels {
    /// Every level.
    pub const ALL: Levels = Levels((1 << Level::ALL.len()) - 1);

    /// Takes `level` in.
    pub fn add(&mut self, level: Level) {
        self.0 |= 1 << level.as_u8();
    }

    /// Whether `level` is in it.
    pub fn contains(self, level: Level) -> bool {
        self.0 & (1 << level.as_u8()) != 0
    }

    /// Whether the two have a level in common.
    pub fn meets(self, other: Levels) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Bits beyond the known levels stay: a block of a later version is not skipped.
    pub(super) fn from_bits(bits: u8) -> Levels {
        Levels(bits)
    }
}

impl FromIterator<Level> for Levels {
    fn from_iter<T: IntoIterator<Item = Level>>(levels: T) -> Levels {
        let mut set = Levels::default();
        levels.into_iter().for_each(|level| set.add(level));
        set
    }
}

impl From<[bool; 5]> for Levels {
    /// By number, as the configuration has it.
    fn from(wanted: [bool; 5]) -> Levels {
        let wanted = Level::ALL.into_iter().zip(wanted);
        wanted
            .filter(|(_, wanted)| *wanted)
            .map(|(level, _)| level)
            .collect()
    }
}
