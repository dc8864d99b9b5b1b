//! How the other threads tell the pipeline that there is something to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

/// Why the pipeline should look around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A followed file or its directory changed.
    Changed,
    /// The input with this index has something.
    Input(usize),
    /// More of the spool was delivered.
    Delivered,
    /// End, after what is there was read.
    Stop,
}

/// Wakes the pipeline for one input, once until that was looked at.
#[derive(Debug, Clone)]
pub struct Waker {
    wakes: Sender<Wake>,
    index: usize,
    is_woken: Arc<AtomicBool>,
}

impl Waker {
    pub(crate) fn new(wakes: Sender<Wake>, index: usize) -> Waker {
        Waker {
            wakes,
            index,
            is_woken: Arc::default(),
        }
    }

    /// Has the input stepped soon. Costs nothing when it was woken already.
    pub fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            // It fails only when the pipeline has ended.
            let _ = self.wakes.send(Wake::Input(self.index));
        }
    }

    /// To be called before the input is looked at: what comes from here on wakes again.
    pub(super) fn looked_at(&self) {
        self.is_woken.store(false, Ordering::Release);
    }
}
