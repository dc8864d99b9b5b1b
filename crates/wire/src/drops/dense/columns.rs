//! Where the numbers of a template lie: for each hole the range and the step of what machines said
//! in it. A number within its column costs no more than its place there is surprising: its cell,
//! one of a few, goes through the model, and the rest of it is any. Columns are counted when a
//! dictionary is made and stand in its file.
//!
//! Why: a number by its length and bits needs many examples of each length before it costs what it
//! should, and most templates are said too seldom. Two ends and a step are learnt from a few. Where
//! a machine's measurements lie within their range is alike for all columns, so they learn it
//! together.

use std::collections::{BTreeMap, HashMap};

use super::coder::{Broken, Coder, Field, Place, TOO_LONG};

/// Cells of a column: a measurement that varies by a tenth of its range covers some of them.
pub(super) const CELLS: u64 = 32;
/// Places of a number within its column.
pub(super) const PLACES: u64 = 1 << 10;
/// A column of fewer values is not worth its place in the file.
const VALUES_MIN: usize = 8;
/// Numbers from here on are names rather than measurements.
const VALUE_MAX: u128 = 1 << 40;
/// The most columns of a dictionary: a few of each template.
pub(crate) const COLUMNS_MAX: usize = 16_384;

/// One hole: `count` numbers from `low` on, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    low: u64,
    step: u64,
    count: u64,
}

impl Column {
    /// The place of a number in it.
    pub(super) fn index(&self, value: u128) -> Option<u64> {
        let above = u64::try_from(value).ok()?.checked_sub(self.low)?;
        let index = above / self.step;
        (above.is_multiple_of(self.step) && index < self.count).then_some(index)
    }

    /// The number at a place.
    pub(super) fn value(&self, index: u64) -> u128 {
        u128::from(self.low) + u128::from(index) * u128::from(self.step)
    }

    pub(super) fn cells(&self) -> u64 {
        self.count.min(CELLS)
    }

    pub(super) fn cell(&self, index: u64) -> u64 {
        index * self.cells() / self.count
    }

    /// The first place of a cell.
    pub(super) fn first(&self, cell: u64) -> u64 {
        (cell * self.count).div_ceil(self.cells())
    }

    /// A place as a share of all, below [`PLACES`].
    pub(super) fn place(&self, index: u64) -> u32 {
        (index * PLACES / self.count) as u32
    }

    /// Whether its cells hold more than one number each.
    pub(super) fn is_wide(&self) -> bool {
        self.count > CELLS
    }
}

/// The columns of a dictionary, by what [`super::params`] calls them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns(HashMap<u32, Column>);

impl Columns {
    pub(super) fn get(&self, key: u32) -> Option<Column> {
        self.0.get(&key).copied()
    }

    /// About how much memory they take, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.0.capacity() * (size_of::<(u32, Column)>() + 1)
    }

    /// Writes these columns or reads them.
    pub(crate) fn code<C: Coder>(
        coder: &mut C,
        columns: &BTreeMap<u32, Column>,
    ) -> Result<Columns, Broken> {
        const BAD: Broken = Broken("a column has no numbers");
        let mut number = |what: u32, value: u64| {
            let place = Place {
                field: Field::Column,
                contexts: &[what],
            };
            let number = coder.number(&place, value.into())?;
            u64::try_from(number)
                .ok()
                .filter(|n| u128::from(*n) < VALUE_MAX)
                .ok_or(TOO_LONG)
        };
        let count = number(0, columns.len() as u64)?;
        if count > COLUMNS_MAX as u64 {
            return Err(TOO_LONG);
        }
        let mut columns = columns.iter();
        let mut read = HashMap::new();
        let mut key = 0u32;
        for _ in 0..count {
            let none = Column {
                low: 0,
                step: 0,
                count: 0,
            };
            let (next, column) = columns.next().unwrap_or((&0, &none));
            // In order of their names, which are as good as chance.
            let by = number(1, next.wrapping_sub(key).into())?;
            key = key.wrapping_add(u32::try_from(by).map_err(|_| TOO_LONG)?);
            let column = Column {
                low: number(2, column.low)?,
                step: number(3, column.step)?,
                count: number(4, column.count)?,
            };
            if column.step == 0 || column.count == 0 {
                return Err(BAD);
            }
            read.insert(key, column);
        }
        Ok(Columns(read))
    }
}

/// Counts what is said in each hole.
#[derive(Default)]
pub(crate) struct Survey(BTreeMap<u32, Seen>);

#[derive(Default)]
struct Seen {
    values: Vec<u64>,
    /// How often a value was close to the one before.
    close: usize,
    is_too_large: bool,
}

impl Survey {
    /// Counts a number in a hole. Those of one machine should come in turn.
    pub(crate) fn count(&mut self, key: u32, value: u128) {
        let seen = self.0.entry(key).or_default();
        match u64::try_from(value) {
            Ok(small) if value < VALUE_MAX => {
                let last = seen.values.last();
                // Closer than a cell of the range from nothing to it.
                let is_close = |last: &u64| small.abs_diff(*last) < small / CELLS;
                seen.close += usize::from(last.is_some_and(is_close));
                seen.values.push(small);
            }
            _ => seen.is_too_large = true,
        }
    }

    /// The holes whose numbers fill a range.
    pub(crate) fn columns(self) -> BTreeMap<u32, Column> {
        let columns = self.0.into_iter();
        let columns = columns.filter_map(|(key, seen)| Some((key, seen.column()?)));
        columns.take(COLUMNS_MAX).collect()
    }
}

impl Seen {
    fn column(mut self) -> Option<Column> {
        if self.is_too_large || self.values.len() < VALUES_MIN {
            return None;
        }
        self.values.sort_unstable();
        let (low, high) = (*self.values.first()?, *self.values.last()?);
        let middle = self.values[self.values.len() / 2];
        let span = high - low;
        // Counters wander, and what is mostly small and seldom large is told better by its length.
        let wanders = 2 * self.close > self.values.len() && span / CELLS > high - middle;
        let is_even = (middle - low) >= span / 8 && (high - middle) >= span / 8;
        if wanders || !is_even && span >= CELLS {
            return None;
        }
        let step = self
            .values
            .iter()
            .fold(0, |step, value| gcd(step, value - low))
            .max(1);
        Some(Column {
            low,
            step,
            count: span / step + 1,
        })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
