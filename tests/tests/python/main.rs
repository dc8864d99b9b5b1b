//! The real `logging` of a real Python on one side, a real agent on the other: nothing is lost,
//! nothing comes twice, and no call of the application waits.

mod calls;
mod crash_loop;
mod every_handler;
mod support;
