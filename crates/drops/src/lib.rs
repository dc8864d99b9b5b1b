//! Fetching drops from where the reader's server forwards them. Each source hands over raw files;
//! what they say is not its concern.
