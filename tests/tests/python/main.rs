//! The real `logging` of a real Python on one side, a real agent on the other: nothing is lost,
//! nothing comes twice, and no call of the application waits. And the same for drops that go to the
//! card reader by the application's own port.

mod calls;
mod crash_loop;
mod every_handler;
mod handoff;
mod support;
mod uploads;
