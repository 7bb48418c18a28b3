//! For the tests of those who write services: a server without ports, and wires to say by
//! hand what a client or a server never would.
//!
//! - [`TestServer`]: clients of a server in this process, with the whole engine between.
//! - [`Wire`]: the far end of a connection, played by the test, line by line.
//!
//! Time needs nothing of its own: all that elapses in here goes by the clock of tokio,
//! which `#[tokio::test(start_paused = true)]` stops.
//!
//! ```
//! use trunkline::{Fault, Router, testing::TestServer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Fault> {
//! let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b });
//! let client = TestServer::new(router).client();
//! assert_eq!(client.call::<i64>("add", (2, 3)).await?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! The chapter with examples of each is
//! [docs/testing.md](https://github.com/trunkline-rpc/trunkline/blob/main/docs/testing.md).

mod server;
mod wire;

pub use self::{server::TestServer, wire::Wire};
