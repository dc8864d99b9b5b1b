//! Customers at the simulated reader.

use std::time::Duration;

use super::{Reader, SimEvent, State};
use crate::fields::Secret;
use crate::response::Response;

impl Reader {
    pub(super) fn go_on_with_sale(&mut self, now: Duration) {
        if let State::Authorizing {
            amount_cents,
            until,
        } = self.state
            && now >= until
        {
            self.authorized(amount_cents);
        }
        if let Some(at) = self.customer_at
            && now >= at
        {
            // Who finds the reader not ready goes away.
            self.swiped(at);
            let every = self.setup.sales.every.unwrap_or_default().as_millis() as u64;
            let wait = every / 2 + self.rng.up_to(every.max(1));
            self.customer_at = Some(now + Duration::from_millis(wait.max(1)));
        }
    }

    pub(super) fn swiped(&mut self, now: Duration) -> bool {
        let State::ExpectingSwipe { amount_cents } = self.state else {
            return false;
        };
        self.state = State::Authorizing {
            amount_cents,
            until: now + self.setup.sales.authorizing,
        };
        self.event(SimEvent::SaleBegan);
        true
    }

    fn authorized(&mut self, amount_cents: u32) {
        let is_approved = !self.rng.chance(self.setup.sales.declined);
        if is_approved {
            let (first, last) = (self.rng.digits(4), self.rng.digits(4));
            self.pending = Some(Response::AuthOk {
                amount_cents,
                card: Secret::new(format!("{first}***********{last}")),
                // An empty field, as the log of the real application shows it.
                more: vec![Secret::new("")],
            });
            self.state = State::ExpectingResult;
        } else {
            self.pending = Some(Response::AuthDeclined {
                code: "200".to_owned(),
                message: "AUTH DECLINED".to_owned(),
            });
            self.state = self.rest();
        }
        self.event(SimEvent::Authorized { is_approved });
    }

    pub(super) fn sold(&mut self, code: u8) {
        if self.state == State::ExpectingResult {
            self.state = self.rest();
            self.sales += 1;
            self.event(SimEvent::SaleEnded);
        } else {
            self.out_of_sequence(code);
        }
    }
}
