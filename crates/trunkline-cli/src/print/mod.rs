//! What is printed, and how: plain to programs, and easy on the eyes to people.

mod columns;
mod json;
mod text;

pub(crate) use self::{columns::columns, json::Layout, text::plain};

use crate::failure::Failure;
use anstream::{AutoStream, ColorChoice};
use std::io::{self, IsTerminal, Write};

/// Writes to stdout.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes a line to stdout.
pub(crate) fn line(line: &str) -> Result<(), Failure> {
    bytes(format!("{line}\n").as_bytes())
}

/// How stdout wants its JSON: laid out on a terminal, else on one line.
pub(crate) fn layout() -> Layout {
    if io::stdout().is_terminal() { Layout::Indented } else { Layout::Line }
}

/// JSON for stdout, in colours if it shows them.
pub(crate) fn json(text: &str, layout: Layout) -> String {
    json::render(text, layout, AutoStream::choice(&io::stdout()) != ColorChoice::Never)
}
