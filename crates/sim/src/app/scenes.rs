//! The ordinary scenes: starting, idling, a customer. Words and rhythm are those of the real
//! application's log.

use serde_json::{Map, Value, json};
use wire::Level;

use super::{Application, Fault, Meant, Output, Record};

/// Flow-meter pulses for one ounce.
const PULSES_PER_OUNCE: f64 = 5.3;
/// Price of one ounce in dollars.
const DOLLARS_PER_OUNCE: f64 = 0.15;
/// Sales tax.
const TAX_RATE: f64 = 0.08;
/// Share of customers whose bank declines.
const DECLINED: f64 = 0.12;
/// How often a motor that is known to fail does so in a sale.
const MOTOR_FAILS: f64 = 0.5;
/// How often a sale's result is lost where that is known to happen.
const PAYMENT_LOST: f64 = 0.2;
/// How often a card meets the link fault where the link is known to fail.
const LINK_FAILS: f64 = 0.3;

impl Application {
    pub(super) fn start_up(&mut self) {
        self.push(Output::Print("Product manager: 3 products loaded".into()));
        self.log("INFO", "Vending machine starting", "app", Level::Info);
        self.wait_ms(400, 900);
        self.module(
            "ePort.src.display_server",
            "Display server started on port 5000",
        );
        self.wait_ms(400, 1_200);
        self.module(
            "ePort.src.product_manager",
            "Loaded 3 products from products.json",
        );
        self.wait_ms(400, 1_200);
    }

    /// A record of one of the application's other modules.
    fn module(&mut self, logger: &'static str, message: &str) {
        let component = logger.rsplit('.').next().unwrap_or(logger);
        let meant = Meant {
            level: Level::Info,
            component,
            context: Map::new(),
        };
        let message = message.to_owned();
        self.push(Output::Record(Record {
            logger,
            level: "INFO",
            message,
            meant,
        }));
    }

    /// Chooses what happens next: mostly an idle poll.
    pub(super) fn next_scene(&mut self) {
        let polls_per_hour = 3_600_000.0 / self.setup.poll_ms as f64;
        if self.rng.chance(self.setup.sales_per_hour / polls_per_hour) {
            return self.customer();
        }
        if self
            .rng
            .chance(self.setup.timeouts_per_hour / polls_per_hour)
        {
            return self.session_timeout();
        }
        for fault in [Fault::SilentReader, Fault::CrashLoop] {
            let likely = self.rng.chance(fault.per_hour() / polls_per_hour);
            if likely && self.setup.faults.contains(&fault) {
                return self.happen(fault);
            }
        }
        self.idle_poll();
    }

    pub(super) fn next_poll(&mut self) {
        let mean = self.setup.poll_ms;
        self.wait_ms(mean * 92 / 100, mean * 108 / 100);
    }

    fn idle_poll(&mut self) {
        self.next_poll();
        self.poll("7", "idle");
        self.wait_ms(1, 9);
        let message = "[STATUS-7] ePort enabled, waiting for card tap/swipe";
        self.log("INFO", message, "eport", Level::Debug);
    }

    pub(super) fn poll(&mut self, status: &str, display: &str) {
        let message = format!("[POLL] status=b'{status}' display={display}");
        self.log("INFO", message, "eport", Level::Debug);
    }

    fn session_timeout(&mut self) {
        self.next_poll();
        self.poll(r"4\x1eLost Kiosk Comm", "idle");
        self.wait_ms(1, 9);
        let message = r"[STATUS-4] ePort warning: b'4\x1eLost Kiosk Comm'";
        self.log("WARNING", message, "eport", Level::Warn);
    }

    /// A card is held to the reader: sold, declined, or the link is down.
    fn customer(&mut self) {
        let broken = |app: &mut Self, fault, share| {
            let happens = app.rng.chance(share);
            happens && app.setup.faults.contains(&fault)
        };
        if broken(self, Fault::Link, LINK_FAILS) {
            return self.happen(Fault::Link);
        }
        self.authorize();
        if self.rng.chance(DECLINED) {
            return self.decline();
        }
        let motor = broken(self, Fault::Motor, MOTOR_FAILS);
        let lost = broken(self, Fault::LostPayment, PAYMENT_LOST);
        self.dispense(motor, lost);
    }

    pub(super) fn authorize(&mut self) {
        self.wait_ms(1_500, 3_500);
        self.log(
            "INFO",
            "Authorization requested for $20.00",
            "payment",
            Level::Info,
        );
        for _ in 0..self.rng.between(1, 3) {
            self.wait_ms(900, 2_200);
            self.poll("8", "authorizing");
            self.wait_ms(1, 9);
            self.log("INFO", "[STATUS-8] Authorizing card", "eport", Level::Debug);
        }
        self.wait_ms(900, 2_200);
    }

    fn decline(&mut self) {
        self.poll(r"3\x1e05\x1eDO NOT HONOR", "authorizing");
        self.wait_ms(1, 9);
        let message = r"[STATUS-3] Authorization declined (raw=b'3\x1e05\x1eDO NOT HONOR')";
        self.log("WARNING", message, "payment", Level::Warn);
    }

    /// The card is good: the customer fills bottles, pays, and leaves.
    pub(super) fn dispense(&mut self, motor_fails: bool, payment_lost: bool) {
        let card = format!("{}***********{}", self.rng.digits(4), self.rng.digits(4));
        self.poll(&format!(r"2\x1e2000\x1e{card}\x1e"), "authorizing");
        let pulses = self.rng.between(20, 140) as u32;
        let mut dollars = 0.0;
        for pulse in 1..=pulses {
            self.wait_ms(80, 200);
            let ounces = f64::from(pulse) / PULSES_PER_OUNCE;
            dollars = ounces * DOLLARS_PER_OUNCE;
            if pulse % self.setup.pulses_per_line == 0 {
                self.display(&format!("update_counter: {ounces:.2} oz"));
                self.display(&format!("state=dispensing total=${dollars:.2}"));
            }
        }
        if motor_fails {
            let nth = self.rng.between(1, 4);
            let message = format!("Error controlling motor (error {nth}/5): GPIO busy");
            self.log("ERROR", message, "motor", Level::Error);
        }
        self.wait_ms(500, 1_100);
        if payment_lost {
            self.payment_lost()
        } else {
            self.payment_done(dollars)
        }
    }

    fn display(&mut self, what: &str) {
        self.log("INFO", format!("[DISPLAY] {what}"), "display", Level::Debug);
    }

    fn payment_done(&mut self, dollars: f64) {
        let cents = (dollars * 100.0).round() as i64;
        let tax = (cents as f64 * TAX_RATE).round() as i64;
        let items = self.rng.between(1, 3);
        let money = |cents: i64| format!("${}.{:02}", cents / 100, cents % 100);
        let message = format!(
            "Transaction complete: {items} items, {} (tax: {}, total: {})",
            money(cents),
            money(tax),
            money(cents + tax)
        );
        let mut sale: Map<String, Value> = Map::new();
        sale.insert("event".into(), json!("sale"));
        sale.insert("amount_cents".into(), json!(cents + tax));
        self.log_event("INFO", message, "payment", Level::Info, sale);
        self.wait_ms(300, 1_100);
        let message = format!("Transaction ID: {}", self.rng.digits(10));
        self.log("INFO", message, "payment", Level::Info);
    }
}
