//! Every entry of a query, one after the other, page by page.

use std::time::Duration;
use std::vec;

use crate::entry::StoredEntry;
use crate::error::StoreError;
use crate::query::page::PAGE_MAX;
use crate::query::{EntryQuery, Order, PageRequest};
use crate::store::Store;

/// One page of a dump may search this long before it hands over to the next: no reader holds a
/// snapshot for longer, or the write-ahead log could not be taken in.
const PAGE_BUDGET: Duration = Duration::from_secs(2);

/// An iterator over entries.
pub(crate) struct Entries<'a> {
    store: &'a Store,
    query: EntryQuery,
    request: PageRequest,
    page: vec::IntoIter<StoredEntry>,
    ended: bool,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(store: &'a Store, query: EntryQuery, order: Order) -> Entries<'a> {
        let request = PageRequest {
            order,
            limit: PAGE_MAX,
            cursor: None,
            budget: PAGE_BUDGET,
        };
        Entries {
            store,
            query,
            request,
            page: Vec::new().into_iter(),
            ended: false,
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<StoredEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            if self.ended {
                return None;
            }
            match self.store.page(&self.query, &self.request) {
                Ok(page) => {
                    self.ended = page.next.is_none();
                    self.request.cursor = page.next;
                    self.page = page.entries.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
