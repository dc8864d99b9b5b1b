//! `vendlog-server`: central without a window.

fn main() {
    println!("{}", central::description().to_pretty_json().unwrap());
}
