//! Scenarios over live connections: what is promised, and what hostile peers try.
//!
//! Rows of the list of threats are named in the tests that show them off.

mod calls;
mod flow;
mod hostile;
mod limits;
mod middleware;
mod support;
mod trouble;
