//! What the servers, clients and the load generator of this benchmark share.
//!
//! The servers and clients themselves are the programs in `src/bin`, one file a rival; `side_by_side` runs them
//! against each other. `README.md` says what is measured and how to read it.

pub mod args;
pub mod callers;
pub mod count;
pub mod items;
pub mod median;
pub mod meter;
#[path = "../../../crates/trunkline/benches/support/order.rs"]
pub mod order;
pub mod process;
pub mod replies;
pub mod requests;
pub mod sequence;
pub mod serve;
pub mod stretch;
pub mod sum;
pub mod tarpc_service;
pub mod tonic_service;
pub mod verdict;
