//! The cellular path across real processes: from the application's log over the simulated reader
//! and a simulated USALive, through real servers of FTP, SSH and mail, to the API.

mod drops_by_hand;
mod forwarding;
mod hard_sources;
mod whole_way;
