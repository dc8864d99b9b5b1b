//! What goes wrong in a vending machine, each as the real application logs it.

use serde_json::{Map, Value, json};
use wire::Level;

use super::{Application, Output, SILENCE_LIMIT_US, Silence};

/// A fault that a machine can have, now and then or on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// The reader stops answering for a while; the application logs it only as INFO.
    SilentReader,
    /// Network, modem or server fail; the application logs it as a declined card.
    Link,
    /// The pump's motor does not obey.
    Motor,
    /// The application dies with a traceback and a CRITICAL, and systemd starts it again.
    CrashLoop,
    /// The product is given and the payment is lost.
    LostPayment,
}

impl Fault {
    /// How often it comes by itself on a machine that has it. The faults of a sale are a share of
    /// the sales instead and answer 0.
    pub(super) fn per_hour(self) -> f64 {
        match self {
            Fault::SilentReader => 4.0,
            Fault::CrashLoop => 0.5,
            Fault::Link | Fault::Motor | Fault::LostPayment => 0.0,
        }
    }
}

impl Application {
    /// Lets a fault happen now.
    pub(super) fn happen(&mut self, fault: Fault) {
        match fault {
            Fault::SilentReader => self.silent_reader(),
            Fault::Link => self.link_fault(),
            Fault::Motor => {
                self.authorize();
                self.dispense(true, false);
            }
            Fault::LostPayment => {
                self.authorize();
                self.dispense(false, true);
            }
            Fault::CrashLoop => self.crash_loop(),
        }
    }

    /// From a few seconds, which is nothing, to two minutes of unanswered polls.
    fn silent_reader(&mut self) {
        for _ in 0..self.rng.between(3, 48) {
            self.next_poll();
            self.poll("", "idle");
            self.wait_ms(1, 9);
            let at = self.stamped();
            let silence = self.silence.get_or_insert(Silence {
                since: at,
                reported: false,
            });
            let long = at.since_us(silence.since) >= SILENCE_LIMIT_US;
            let level = if long && !silence.reported {
                Level::Error
            } else {
                Level::Debug
            };
            silence.reported |= long;
            let message = "[STATUS-?] Unknown status: b'' (hex=N/A)";
            self.log("INFO", message, "reader", level);
        }
    }

    fn link_fault(&mut self) {
        const FAULTS: [(&str, &str); 4] = [
            ("30", "FAIL_NETWORK"),
            ("31", "FAIL_MODEM"),
            ("32", "FAIL_SERVER"),
            ("33", "FAIL_TIME_REQUEST"),
        ];
        let (status, fault) = FAULTS[self.rng.between(0, 3) as usize];
        self.authorize();
        self.poll(status, "authorizing");
        self.wait_ms(1, 9);
        let message = format!("[STATUS-3] Authorization declined (raw=b'{status}')");
        let context = one("fault", fault);
        self.log_event("WARNING", message, "eport-link", Level::Error, context);
    }

    pub(super) fn payment_lost(&mut self) {
        let lost = || one("event", "lost_payment");
        let message = "Transaction result failed after 3 attempts";
        self.log_event("ERROR", message, "payment", Level::Critical, lost());
        self.wait_ms(5, 400);
        let message = "Failed to send transaction result - resetting ePort to cancel authorization";
        self.log_event("WARNING", message, "payment", Level::Critical, lost());
    }

    /// One crash with its traceback, then up to three starts that fail at once, about 30 s apart.
    fn crash_loop(&mut self) {
        self.wait_ms(500, 2_000);
        let call = [
            "result = machine.control_motor(True)",
            "self.ser.write(command)",
        ][self.rng.between(0, 1) as usize];
        let traceback = format!(
            "Traceback (most recent call last):\n  \
             File \"/home/pi/soap/ePort/main.py\", line 612, in main\n    \
             status = payment.status()\n  \
             File \"/home/pi/soap/ePort/src/payment.py\", line 71, in status\n    \
             {call}\n\
             serial.serialutil.SerialException: write failed: [Errno 5] Input/output error"
        );
        self.log("ERROR", traceback, "app", Level::Error);
        for _ in 0..self.rng.between(1, 4) {
            let message = "Too many consecutive errors (10). Exiting.";
            self.log("CRITICAL", message, "app", Level::Critical);
            self.wait_ms(27_000, 36_000);
            self.push(Output::Restart);
            self.start_up();
        }
    }
}

fn one(key: &str, value: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert(key.into(), json!(value));
    map
}
