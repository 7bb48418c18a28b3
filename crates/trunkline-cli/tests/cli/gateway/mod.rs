//! `trunkline gateway`.

mod access;
mod checking;
mod client;
mod ending;
mod reloading;
mod serving;
mod world;
