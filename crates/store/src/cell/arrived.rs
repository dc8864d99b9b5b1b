//! A drop on its way in: what the caller hands over, and what the writer makes of it.

use wire::Micros;
use wire::drops::{DropHeader, ReadDrop, ReadForm};

use crate::catalog::cell::BARE_EPOCH;
use crate::cell::content;
use crate::day::entries::UNNUMBERED_EPOCH;
use crate::entry::{NewEntries, PathKind};

/// A drop to store.
#[derive(Debug, Clone)]
pub struct ArrivedDrop {
    /// What it says. Its machine is whose entries they become.
    pub read: ReadDrop,
    /// Name of its file or mail.
    pub name: String,
    /// The source that it came by.
    pub source: String,
    /// Its bytes, as the reader sent them.
    pub size_bytes: u64,
    /// Arrival, by our clock.
    pub received_at: Micros,
}

/// What became of an [`ArrivedDrop`], durable when it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DropReceipt {
    /// Entries stored now.
    pub accepted: u64,
    /// Of the duplicates those that were a summary and are whole now.
    pub upgraded: u64,
    /// Entries that were there before.
    pub duplicates: u64,
    /// The drop came before, and this arrival is counted as a repeat of it.
    pub is_repeat: bool,
    /// A drop of this number that says something else came before. The entries are taken by seq.
    pub is_conflict: bool,
    /// Earliest and latest `filed_at` of what was stored or upgraded now.
    pub filed: Option<(Micros, Micros)>,
    /// What was stored now, by level.
    pub by_level: [u64; 5],
}

/// Something for the writer to store: a batch, or what a drop holds.
pub(crate) struct Arrival {
    pub(crate) new: NewEntries,
    pub(crate) drop: Option<Box<DropPart>>,
}

/// What is kept of a drop besides its entries.
pub(crate) struct DropPart {
    pub(crate) header: Option<DropHeader>,
    pub(crate) form: ReadForm,
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
    /// For each entry whether it was shortened.
    pub(crate) summaries: Vec<bool>,
}

impl Arrival {
    pub(crate) fn batch(new: NewEntries) -> Arrival {
        Arrival { new, drop: None }
    }

    /// The epoch that its entries are kept under.
    pub(crate) fn epoch(&self) -> i64 {
        match (self.new.epoch, &self.drop) {
            (Some(epoch), _) => epoch as i64,
            (None, Some(_)) => BARE_EPOCH,
            (None, None) => UNNUMBERED_EPOCH,
        }
    }

    /// Whether its entries have seqs: given by the sender, or made of what a bare line says.
    pub(crate) fn has_seqs(&self) -> bool {
        self.new.epoch.is_some() || self.drop.is_some()
    }

    /// Whether this entry was shortened to fit.
    pub(crate) fn is_summary(&self, index: usize) -> bool {
        self.drop
            .as_ref()
            .is_some_and(|part| part.summaries.get(index).copied().unwrap_or(true))
    }

    /// Whether every number of the drop's header can be kept.
    pub(crate) fn has_good_header(&self) -> bool {
        let fits = |number: u64| i64::try_from(number).is_ok();
        let Some(part) = &self.drop else { return true };
        let size = fits(part.size_bytes);
        part.header.as_ref().map_or(size, |header| {
            let covers = header.covers;
            size && fits(header.number)
                && header.number > 0
                && fits(header.left_out.total())
                && header.uptime_s.is_none_or(fits)
                && fits(covers.last)
                && covers.first <= covers.last
                && covers.counts.as_array().into_iter().all(fits)
        })
    }
}

impl ArrivedDrop {
    /// As the writer takes it. The lines of a bare drop get numbers made of what they say, so that
    /// the ledger knows them again, in whatever drop they come.
    pub(crate) fn into_arrival(self) -> Arrival {
        let sha256 = content::drop_hash(&self.read);
        let bare = self.read.header.is_none();
        let seqs = bare.then(|| content::line_numbers(&self.read.entries));
        let ReadDrop {
            machine,
            header,
            entries,
            form,
            ..
        } = self.read;
        let summaries = entries.iter().map(|entry| entry.is_summary).collect();
        let mut entries: Vec<_> = entries.into_iter().map(|entry| entry.entry).collect();
        for (entry, seq) in entries.iter_mut().zip(seqs.into_iter().flatten()) {
            entry.seq = Some(seq);
        }
        let part = DropPart {
            form,
            name: self.name,
            source: self.source,
            size_bytes: self.size_bytes,
            sha256,
            summaries,
            header,
        };
        let new = NewEntries {
            machine,
            epoch: part.header.as_ref().map(|header| header.epoch),
            entries,
            refused_seqs: Vec::new(),
            path: PathKind::Cell,
            received_at: self.received_at,
        };
        Arrival {
            new,
            drop: Some(Box::new(part)),
        }
    }
}
