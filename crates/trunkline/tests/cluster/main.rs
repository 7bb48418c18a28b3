//! Several servers on one broker in memory: what goes from one to another, and how it ends.

mod calls;
mod ending;
mod trouble;
mod trust;
mod world;
