//! What is logged: as `RUST_LOG` says, to stderr, where it mixes with no output.

use crate::failure::Failure;
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

const VARIABLE: &str = "RUST_LOG";

/// Begins logging, from this level on unless `RUST_LOG` says otherwise.
pub(crate) fn begin(level: LevelFilter) -> Result<(), Failure> {
    let filter = EnvFilter::builder().with_default_directive(level.into());
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let filter = filter.parse(&wanted).map_err(|error| {
        Failure::usage(format!("{VARIABLE} is `{wanted}`, which says nothing of what to log"))
            .cause(&error)
            .hint(format!("{VARIABLE}=debug, or {VARIABLE}=trunkline=trace"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
